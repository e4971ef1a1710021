"""The folders of the exercises, and the folder of each task."""

from __future__ import annotations

import os
from pathlib import Path

from workshop.core.errors import UserError
from workshop.tasks import course

EXERCISES = "exercises"


def find_exercises() -> Path:
    """Return the folder of the exercises: the one around the current folder, or one below it."""
    try:
        here = Path.cwd()
    except FileNotFoundError:
        fix = "Change to another folder with cd"
        raise UserError("the current folder", "it was removed", fix) from None
    around = next((path for path in (here, *here.parents) if path.name == EXERCISES), None)
    return Path(os.path.relpath(around)) if around else Path(EXERCISES)


def default_folder(exercises: Path, name: str) -> Path:
    """Return the folder of a task without PATH; tasks on the same service share one."""
    return exercises / (course.reference(name).parent.name or name)


def find_folder(name: str, path: str | None) -> Path:
    """Return the folder to grade: `path`, the task's default, or the current folder."""
    if path:
        return Path(path)
    default = default_folder(find_exercises(), name)
    if not default.is_dir() and Path(course.reference(name).name).exists():
        return Path()
    return default
