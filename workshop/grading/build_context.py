"""Builds the context of a submission: the learner's files, the starter's, and planted secrets."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.analysis import starter, unwanted_files
from workshop.core.errors import UserError
from workshop.core.paths import MAX_PATH, walk
from workshop.model import Failed

if TYPE_CHECKING:
    from workshop.analysis.source import Source

MAX_BYTES = 50_000_000
MAX_FILES = 5_000

# Planted in the folders below as well: `.env` in .dockerignore matches only at the top.
NESTED_FILE = ".env"


def create_build_context(source: Source, folder: Path, canary: str) -> None:
    """Copy a submission into an empty folder, add missing starter files, and plant secrets."""
    copy_submission(source, folder)
    contexts = {recipe.context for recipe in source.task.recipes}
    if contexts:
        _plant_nested_secrets(folder, f"SECRET={canary}\n")
    for context in contexts:
        for secret in unwanted_files.SECRETS:
            file = folder / context / secret
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"SECRET={canary}\n", encoding="ascii")
        unwanted_files.plant(folder / context, source.task.unwanted_files)


def copy_submission(source: Source, folder: Path) -> None:
    """Copy a submission into an empty folder, and add missing starter files."""
    files = _list_files(source.folder)
    for path, info in files.items():
        _copy(source.folder / path, folder / path, info)
    for path in files:
        # A link that leads to itself cannot be resolved; it stays as it is.
        target = Path(os.path.realpath(folder / path))
        if not target.is_relative_to(folder.resolve()):
            link = (folder / path).readlink()
            raise Failed(f"{path} is a link to {link}", "only links that stay in the folder")
    starter.copy_missing(source.task, folder)


def _plant_nested_secrets(folder: Path, text: str) -> None:
    """Write an env file into every folder below `folder`, if the context has an ignore file.

    Without one, only what the Dockerfile copies from the top is of interest.
    """
    if any(folder.rglob("*.dockerignore")):
        for parent in _folders(folder):
            (parent / NESTED_FILE).write_text(text, encoding="ascii")


def _folders(folder: Path) -> list[Path]:
    """Return the folders at every depth below `folder` that a secret can be written to."""
    below = [path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink()]
    return [path for path in below if not (path / NESTED_FILE).is_dir()]


def _list_files(folder: Path) -> dict[str, os.stat_result]:
    """Return every file that is not specific to one machine, by its path relative to `folder`.

    A folder that is too large is refused before anything is copied: a sparse file of a few bytes on
    the disk would become gigabytes.
    """
    size = 0
    found: dict[str, os.stat_result] = {}
    for path in walk(folder):
        if len(path) > MAX_PATH:
            actual = f"a path of {len(path)} characters: {path[:40]}..."
            raise Failed(actual, f"paths of at most {MAX_PATH} characters")
        found[path] = (folder / path).lstat()
        size += found[path].st_size
        if size > MAX_BYTES or len(found) > MAX_FILES:
            actual = f"more than {MAX_BYTES // 1_000_000} MB or {MAX_FILES} files"
            fix = "Use the folder that `workshop start` created, without other files"
            raise UserError(str(folder), f"{actual}, including those in {path.split('/')[0]}", fix)
    return found


def _copy(path: Path, target: Path, info: os.stat_result) -> None:
    """Copy a regular file or a link, as `info` says, and nothing else."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(info.st_mode):
        target.symlink_to(path.readlink())
    elif stat.S_ISREG(info.st_mode):
        shutil.copyfile(path, target, follow_symlinks=False)
        # In an image, only the executable bit matters.
        target.chmod(0o755 if info.st_mode & stat.S_IXUSR else 0o644)
