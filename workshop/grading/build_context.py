"""Builds the context of a submission: the learner's files, the starter's, and planted secrets."""

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

MAX_BYTES = 50_000_000
MAX_FILES = 5_000

# Files that no image should contain. The canary is written into each of them.
PLANTED_SECRETS = (".env", ".git/config", ".venv/pyvenv.cfg")


def create_build_context(source: Source, folder: Path, canary: str) -> None:
    """Copy a submission into an empty folder, add missing starter files, and plant secrets."""
    for path in list(_copy_files(source.folder, folder)):
        if not (folder / path).resolve().is_relative_to(folder.resolve()):
            target = (folder / path).readlink()
            raise Failed(f"{path} is a link to {target}", "only links that stay in the folder")
    starter.copy_missing(source.task, folder)
    for context in {recipe.context for recipe in source.task.recipes}:
        for secret in PLANTED_SECRETS:
            file = folder / context / secret
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"SECRET={canary}\n", encoding="ascii")
        unwanted_files.plant(folder / context, source.task.unwanted_files)


def _copy_files(folder: Path, target: Path) -> Iterator[str]:
    """Copy every file that is not specific to one machine; yield its path relative to `folder`."""
    size = 0
    for number, path in enumerate(walk(folder)):
        size += _copy(folder / path, target / path)
        if size > MAX_BYTES or number >= MAX_FILES:
            found = f"more than {MAX_BYTES // 1_000_000} MB or {MAX_FILES} files"
            fix = "Use the folder that `workshop start` created, without other files"
            raise UserError(str(folder), f"{found}, including those in {path.split('/')[0]}", fix)
        yield path


def _copy(path: Path, target: Path) -> int:
    """Copy a regular file or a link, and nothing else; return the number of bytes copied."""
    info = path.lstat()
    target.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(info.st_mode):
        target.symlink_to(path.readlink())
    elif stat.S_ISREG(info.st_mode):
        shutil.copyfile(path, target, follow_symlinks=False)
        # In an image, only the executable bit matters.
        target.chmod(0o755 if info.st_mode & stat.S_IXUSR else 0o644)
        return info.st_size
    return 0
