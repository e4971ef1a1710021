"""Where things are: the checkout, the user's cache, and the files of a learner's folder."""

from __future__ import annotations

import os
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent.parent

# Made by tools, or secret: neither part of a starter nor read from a learner's folder.
LOCAL = (
    ".env",
    ".env.local",
    ".git",
    ".venv",
    "venv",
    "node_modules",
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    "*.pyc",
    "*.egg-info",
)


def cache_folder() -> Path:
    """Return the tool's folder in the user's cache (XDG Base Directory Specification)."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache") / "workshop"


def is_local(name: str) -> bool:
    """Whether a file or folder with this name belongs to one machine only."""
    return any(fnmatch(name, pattern) for pattern in LOCAL)


def walk(folder: Path) -> Iterator[str]:
    """Yield the relative path of every file below `folder`; links are included, never followed."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_local(name))
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        for name in sorted([*files, *links]):
            if not is_local(name):
                yield (Path(parent) / name).relative_to(folder).as_posix()
