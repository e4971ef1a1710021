"""Builds the context of a submission: the learner's files, the starter's, and planted secrets."""

from __future__ import annotations

import shutil
import stat
from typing import TYPE_CHECKING

from workshop.analysis import starter, unwanted_files
from workshop.core.errors import UserError
from workshop.core.paths import MAX_PATH, walk
from workshop.model import Failed

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

    from workshop.analysis.source import Source

MAX_BYTES = 50_000_000
MAX_FILES = 5_000

# Files that no image should contain. The canary is written into each of them.
PLANTED_SECRETS = (".env", ".git/config", ".venv/pyvenv.cfg")
# Planted in the folders below as well: `.env` in .dockerignore matches only at the top.
NESTED_FILE = ".env"


def create_build_context(source: Source, folder: Path, canary: str) -> None:
    """Copy a submission into an empty folder, add missing starter files, and plant secrets."""
    for path in list(_copy_files(source.folder, folder)):
        if not (folder / path).resolve().is_relative_to(folder.resolve()):
            target = (folder / path).readlink()
            raise Failed(f"{path} is a link to {target}", "only links that stay in the folder")
    starter.copy_missing(source.task, folder)
    contexts = {recipe.context for recipe in source.task.recipes}
    if contexts:
        _plant_nested_secrets(folder, f"SECRET={canary}\n")
    for context in contexts:
        for secret in PLANTED_SECRETS:
            file = folder / context / secret
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"SECRET={canary}\n", encoding="ascii")
        unwanted_files.plant(folder / context, source.task.unwanted_files)


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


def _copy_files(folder: Path, target: Path) -> Iterator[str]:
    """Copy every file that is not specific to one machine; yield its path relative to `folder`."""
    size = 0
    for number, path in enumerate(walk(folder)):
        if len(path) > MAX_PATH:
            actual = f"a path of {len(path)} characters: {path[:40]}..."
            raise Failed(actual, f"paths of at most {MAX_PATH} characters")
        # Before it is copied: a sparse file of a few bytes on the disk would become gigabytes.
        info = (folder / path).lstat()
        size += info.st_size
        if size > MAX_BYTES or number >= MAX_FILES:
            found = f"more than {MAX_BYTES // 1_000_000} MB or {MAX_FILES} files"
            fix = "Use the folder that `workshop start` created, without other files"
            raise UserError(str(folder), f"{found}, including those in {path.split('/')[0]}", fix)
        _copy(folder / path, target / path, info)
        yield path


def _copy(path: Path, target: Path, info: os.stat_result) -> None:
    """Copy a regular file or a link, as `info` says, and nothing else."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(info.st_mode):
        target.symlink_to(path.readlink())
    elif stat.S_ISREG(info.st_mode):
        shutil.copyfile(path, target, follow_symlinks=False)
        # In an image, only the executable bit matters.
        target.chmod(0o755 if info.st_mode & stat.S_IXUSR else 0o644)
