"""A lock on a folder of marks: two graders at once would grade everything twice."""

from __future__ import annotations

import contextlib
import sys
from typing import IO, TYPE_CHECKING

from workshop.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "grading.lock"


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`; raise `UserError` if another grader holds it.

    The operating system releases the lock with the process, even after `kill -9`. The file stays.
    """
    try:
        file = (folder / NAME).open("ab")
    except OSError as error:
        found = error.strerror or "it cannot be written"
        raise UserError(str(folder), found, "Name a folder that you may write to") from None
    with file:
        try:
            _lock(file)
        except OSError:
            found = "another grader is using this folder"
            raise UserError(
                str(folder), found, "Wait until it ends, or choose another --out"
            ) from None
        yield


if sys.platform == "win32":

    def _lock(file: IO[bytes]) -> None:
        import msvcrt  # noqa: PLC0415 - exists on Windows only

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:

    def _lock(file: IO[bytes]) -> None:
        import fcntl  # noqa: PLC0415 - does not exist on Windows

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
