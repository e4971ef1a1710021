"""Opens files in folders that others change: follows no link, and does not wait for a FIFO.

`dir_fd` is the folder of a relative path, as in `os.open`. Where a system has no such flags, as
Windows, files are opened without.
"""

from __future__ import annotations

import os
from typing import BinaryIO, cast

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_READ = os.O_RDONLY | _NO_LINK | getattr(os, "O_NONBLOCK", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK


def open_file(path: str | os.PathLike[str], *, dir_fd: int | None = None) -> BinaryIO:
    """Open a file to read; raise `OSError` for a link."""
    return cast("BinaryIO", os.fdopen(os.open(path, _READ, dir_fd=dir_fd), "rb"))


def create_file(
    path: str | os.PathLike[str], mode: int = 0o666, *, dir_fd: int | None = None
) -> BinaryIO:
    """Create a file to write; raise `OSError` if the path exists, as a link or as anything else."""
    return cast("BinaryIO", os.fdopen(os.open(path, _CREATE, mode, dir_fd=dir_fd), "wb"))
