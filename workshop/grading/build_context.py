"""A copy of a learner's folder to build from: what is in it, and what is set as a trap."""

from __future__ import annotations

import shutil
import stat
from typing import TYPE_CHECKING

from workshop.analysis import starter, unwanted_files
from workshop.core.errors import UserError
from workshop.core.paths import walk
from workshop.model import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workshop.analysis.source import Source

MOST_BYTES = 50_000_000
MOST_FILES = 5_000

# What a folder may hold that no image should: each is planted with the canary in it.
TRAPS = (".env", ".git/config", ".venv/pyvenv.cfg")


def stage(source: Source, folder: Path, canary: str) -> None:
    """Copy a learner's files into an empty folder, add the starter's, and set the traps."""
    paths = list(_copied(source.folder, folder))
    for path in paths:
        if not (folder / path).resolve().is_relative_to(folder.resolve()):
            target = (folder / path).readlink()
            raise Failed(f"{path} is a link to {target}", "links that stay in the folder")
    starter.copy_missing(source.task, folder)
    for context in {recipe.context for recipe in source.task.recipes}:
        for trap in TRAPS:
            file = folder / context / trap
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"SECRET={canary}\n", encoding="ascii")
        unwanted_files.plant(folder / context, source.task.unwanted_files)


def _copied(folder: Path, into: Path) -> Iterator[str]:
    """Copy what is not local to one machine; gives each path, relative to the folder."""
    size = 0
    for number, path in enumerate(walk(folder)):
        size += _copy(folder / path, into / path)
        if size > MOST_BYTES or number >= MOST_FILES:
            found = f"more than {MOST_BYTES // 1_000_000} MB or {MOST_FILES} files"
            fix = "Give the folder that `workshop start` made, with nothing else in it"
            raise UserError(str(folder), f"{found}, those in {path.split('/')[0]} among them", fix)
        yield path


def _copy(path: Path, target: Path) -> int:
    """Copy a file or a link as it is, and nothing else; returns its bytes."""
    known = path.lstat()
    target.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(known.st_mode):
        target.symlink_to(path.readlink())
    elif stat.S_ISREG(known.st_mode):
        shutil.copyfile(path, target, follow_symlinks=False)
        # The bit that matters inside: whether a script can be run.
        target.chmod(0o755 if known.st_mode & stat.S_IXUSR else 0o644)
        return known.st_size
    return 0
