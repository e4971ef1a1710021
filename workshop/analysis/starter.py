"""The files that a learner starts a task with: the kit's own folder without the solution."""

from __future__ import annotations

import os
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from workshop.core.paths import ROOT, walk

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from workshop.model import Task


def files(task: Task) -> list[str]:
    """List the files of a task's starter, relative to its folder."""
    folder = ROOT / task.folder
    paths = [
        path if part == "." else f"{part}/{path}"
        for part in task.only or (".",)
        for path in walk(folder / part)
    ]
    return [path for path in paths if not _is_withheld(task, path)]


def find(task: Task, file: str) -> Path | None:
    """Return the path of a starter file in the kit; None if the starter has no such file."""
    path = ROOT / task.folder / file
    return None if _is_withheld(task, file) or not path.is_file() else path


def copy_missing(task: Task, folder: Path) -> list[str]:
    """Copy the starter files that `folder` lacks; return their paths."""
    missing = [path for path in files(task) if not os.path.lexists(folder / path)]
    _copy(task, missing, folder)
    return missing


def copy_solution(task: Task, folder: Path) -> None:
    """Write the course's own answer, without the starter, into `folder`."""
    _copy(task, task.answer, folder)


def _copy(task: Task, paths: Iterable[str], folder: Path) -> None:
    import shutil  # noqa: PLC0415 - slow to import, and only needed to copy

    for path in paths:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / task.folder / path, target)


def _is_withheld(task: Task, path: str) -> bool:
    return any(fnmatch(path, pattern) for pattern in (*task.answer, *task.withheld))
