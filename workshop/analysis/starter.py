"""What a learner begins a task with: the kit's own folder, without the answers."""

from __future__ import annotations

import os
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from workshop.core.paths import ROOT, walk

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.model import Task


def files(task: Task) -> list[str]:
    """The files of a task's starter, relative to its folder."""
    found = []
    for part in task.only or (".",):
        for path in walk(ROOT / task.folder / part):
            whole = path if part == "." else f"{part}/{path}"
            if not _is_withheld(task, whole):
                found.append(whole)
    return found


def find(task: Task, file: str) -> Path | None:
    """The kit's own copy of a file of the starter; None where that has no such file."""
    own = ROOT / task.folder / file
    return None if _is_withheld(task, file) or not own.is_file() else own


def copy_missing(task: Task, folder: Path) -> list[str]:
    """Copy what the starter has and `folder` lacks; returns what was copied."""
    import shutil  # noqa: PLC0415 - who only reads need not wait for it

    missing = [path for path in files(task) if not os.path.lexists(folder / path)]
    for path in missing:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / task.folder / path, target)
    return missing


def _is_withheld(task: Task, path: str) -> bool:
    return any(fnmatch(path, pattern) for pattern in (*task.answer, *task.withheld))
