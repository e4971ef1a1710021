"""The files of a submission, as data that is sent to another machine."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from workshop.cohort import listing
from workshop.cohort.archive_entries import Refusal, show
from workshop.cohort.archives import split_path
from workshop.core.errors import UserError
from workshop.core.files import create_file, open_file
from workshop.grading.build_context import MAX_BYTES, MAX_FILES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# What a listing may hold; devices are not sent.
_KINDS = {stat.S_IFREG, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFSOCK}
_MODES = {False: 0o644, True: 0o755}


class File(NamedTuple):
    """A file of a submission: its type and permissions as in `st_mode`.

    `content` is that of a regular file, the target of a link, and empty for anything else.
    """

    path: str
    mode: int
    content: bytes


def pack(folder: Path) -> tuple[File, ...]:
    """Return the files that belong to a submission; raise `UserError` if they cannot be sent."""
    try:
        found = listing.read(folder).files
        size = sum(info.st_size for info in found.values())
        if size > MAX_BYTES or len(found) > MAX_FILES:
            raise _too_large()
        files = tuple(_read(folder, path, info.st_mode) for path, info in found.items())
        _check(files)
    except (listing.Unlisted, Refusal) as error:
        raise UserError(str(folder), error.found, error.fix) from None
    except OSError as error:
        raise UserError(str(folder), error.strerror or "unreadable", "Make it readable") from None
    return files


def unpack(files: Sequence[File], folder: Path, digest: str) -> None:
    """Write files into an empty folder; raise `UserError` unless they have this digest.

    Nothing outside of the folder is written, whatever the files are.
    """
    try:
        _check(files)
        # Links come last, so that nothing is written through one.
        for file in sorted(files, key=lambda file: stat.S_ISLNK(file.mode)):
            _write(file, folder / file.path)
        found = listing.digest(listing.read(folder), "")
    except (listing.Unlisted, Refusal) as error:
        raise UserError("the submission", error.found, error.fix) from None
    except OSError as error:
        found, fix = error.strerror or "it cannot be written", "Free some space on the worker"
        raise UserError("the submission", found, fix) from None
    if found != digest:
        fix = "Run the same command again"
        raise UserError("the submission", "its files changed while it was sent", fix)


def _read(folder: Path, path: str, mode: int) -> File:
    content = b""
    if stat.S_ISLNK(mode):
        content = os.fsencode((folder / path).readlink())
    elif stat.S_ISREG(mode):
        # Not even a file that was replaced by a FIFO or a link meanwhile makes this wait.
        with open_file(folder / path) as file:
            content = file.read(MAX_BYTES + 1)
    return File(path, mode, content)


def _check(files: Sequence[File]) -> None:
    """Raise `Refusal` unless each file is below the folder, and all are few and small enough."""
    if len(files) > MAX_FILES or sum(len(file.content) for file in files) > MAX_BYTES:
        raise _too_large()
    names = {file.path for file in files}
    if len(names) < len(files):
        raise Refusal("one file is in it twice")
    for path, mode, _ in files:
        parts = split_path(path)
        if "/".join(parts) != path or names & {*_parents(parts)}:
            raise Refusal(f"{show(path)} is not below a folder of the submission")
        if stat.S_IFMT(mode) not in _KINDS:
            raise Refusal(f"{show(path)} is a device")


def _parents(parts: tuple[str, ...]) -> Iterator[str]:
    return ("/".join(parts[:number]) for number in range(1, len(parts)))


def _write(file: File, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(file.mode):
        path.symlink_to(os.fsdecode(file.content))
    elif stat.S_ISREG(file.mode):
        mode = _MODES[bool(file.mode & stat.S_IXUSR)]
        with create_file(path, mode) as target:
            target.write(file.content)
            os.fchmod(target.fileno(), mode)
    else:
        os.mknod(path, stat.S_IFMT(file.mode) | 0o644)


def _too_large() -> Refusal:
    found = f"more than {MAX_BYTES // 1_000_000} MB or {MAX_FILES:,} files"
    return Refusal(found, "Ask for the folder of the task, without other files")
