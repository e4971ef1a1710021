"""Extracts the archives of strangers: zip and tar files, entry by entry, into one folder.

An archive is refused as a whole, in one line, if an entry is anything but a plain file or folder
below the target. Links are refused even if they stay inside: no task needs one, and what a link
means depends on the order of the entries. Of the permissions, only the executable bit is kept.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import re
import shutil
import tarfile
import unicodedata
import zipfile
import zlib
from typing import TYPE_CHECKING

from workshop.cohort.archive_entries import (
    AGAIN,
    CHUNK,
    CUT_OFF,
    LEARNER,
    ONLY_THE_TASK,
    RATIO_BYTES,
    Refusal,
    bomb,
    read_entries,
    show,
    too_large,
)
from workshop.cohort.submission import Refused
from workshop.core.files import create_file
from workshop.core.paths import MAX_PATH, is_local

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workshop.cohort.archive_entries import Content, Entry, Limits

SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")
# Archives that learners send, and that this module does not read.
OTHER_SUFFIXES = (".rar", ".7z", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".gz", ".zipx")

# Longest part of a path, in bytes, and most parts.
_MAX_NAME = 255
_MAX_DEPTH = 100
_DRIVE = re.compile(r"[A-Za-z]:")
# The zero-width joiners belong to words of some scripts.
_JOINERS = "\u200c\u200d"
_UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Errors of writing that are the fault of this machine; others are the fault of the entry's name.
_MACHINE_ERRORS = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM),
    *(errno.EMFILE, errno.ENFILE, errno.EIO),
}
# What the standard library raises for archives that are damaged or made up.
_ERRORS = (
    *(tarfile.TarError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, gzip.BadGzipFile),
    *(EOFError, ValueError, LookupError, ArithmeticError, RuntimeError, OSError, MemoryError),
    *(TypeError, AttributeError),
)


def is_archive(name: str) -> bool:
    """Whether a file with this name should be an archive that this module reads."""
    return name.lower().endswith(SUFFIXES)


def is_other_archive(name: str) -> bool:
    """Whether a file with this name is an archive of a kind that this module does not read."""
    return name.lower().endswith(OTHER_SUFFIXES) and not is_archive(name)


def stem(name: str) -> str:
    """Return the name of an archive without its suffix."""
    suffix = next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(suffix)]


def extract(archive: Path, target: Path, origin: str, limits: Limits = LEARNER) -> Refused | None:
    """Extract an archive into a folder, which is replaced; return why not, if it is refused.

    A refused archive leaves nothing behind. `origin` names it in the refusal. Raises `OSError` if
    the target cannot be written.
    """
    if os.path.lexists(target):
        shutil.rmtree(target)
    target.mkdir(parents=True)
    try:
        content = _Target(target, limits, archive.lstat().st_size)
        for entry in read_entries(archive, limits):
            content.add(entry)
    except Refusal as refusal:
        refused = Refused(origin, refusal.found, refusal.fix)
    except _WriteError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise OSError(error.cause.errno, error.cause.strerror, str(target)) from None
    except RecursionError:
        refused = Refused(origin, "its headers are nested too deeply", AGAIN)
    except _ERRORS as error:
        found = "it cannot be read as an archive"
        if isinstance(error, OSError) and error.strerror:
            found = error.strerror
        elif isinstance(error, EOFError):
            found = CUT_OFF
        refused = Refused(origin, found, AGAIN)
    else:
        return None
    shutil.rmtree(target, ignore_errors=True)
    return refused


# ---- names and files


def split_path(name: str) -> tuple[str, ...]:
    """Return the parts of an entry's name; empty for the archive's own top folder.

    Raises an exception that `extract` turns into a `Refused`, for names that leave the target or
    cannot be shown.
    """
    # Some programs on Windows write backslashes.
    path = name.replace("\\", "/")
    if path.startswith("/") or _DRIVE.match(path):
        raise Refusal(f"{show(name)} is an absolute path")
    if any(unicodedata.category(mark) in _UNSAFE for mark in path if mark not in _JOINERS):
        raise Refusal(f"the name {show(name)} contains control characters")
    parts = tuple(part for part in path.split("/") if part not in {"", "."})
    if ".." in parts:
        raise Refusal(f"{show(name)} leads out of the folder")
    if len(path.encode()) > MAX_PATH or any(len(part.encode()) > _MAX_NAME for part in parts):
        raise Refusal(f"the name {show(name)} is too long")
    if len(parts) > _MAX_DEPTH:
        raise Refusal(f"{show(name)} is nested too deeply")
    return parts


def _is_skipped(parts: tuple[str, ...]) -> bool:
    """Whether an entry is made by a machine for itself: never part of a submission."""
    return parts[0] == "__MACOSX" or any(is_local(part) for part in parts)


def _fold(path: str) -> str:
    """Return what file systems without case or with another normalisation make of a path."""
    folded = unicodedata.normalize("NFD", path).casefold()
    return unicodedata.normalize("NFD", folded)


class _WriteError(Exception):
    """The target cannot be written: a fault of this machine, not of the archive."""

    def __init__(self, cause: OSError) -> None:
        self.cause = cause
        super().__init__(str(cause))


class _Target:
    """The folder that an archive is extracted to, and what is in it so far."""

    def __init__(self, folder: Path, limits: Limits, archive_size: int) -> None:
        self.folder, self.limits = folder, limits
        self._ratio_limit = max(archive_size * limits.ratio, RATIO_BYTES)
        self._entries = self._bytes = 0
        # By folded path: the path itself, and whether it is a folder.
        self._known: dict[str, tuple[str, bool]] = {}

    def add(self, entry: Entry) -> None:
        """Write one entry, or raise a refusal."""
        self._entries += 1
        if self._entries > self.limits.entries:
            raise Refusal(f"more than {self.limits.entries:,} entries", ONLY_THE_TASK)
        parts = split_path(entry.path)
        if not parts:
            if entry.content:
                raise Refusal(f"a file named {show(entry.path)}")
            return
        if _is_skipped(parts):
            return
        if entry.kind:
            raise Refusal(f"{show(entry.path)} is {entry.kind}")
        # The size that the archive states: a refusal before anything is written.
        if self._bytes + entry.size > self.limits.content:
            raise too_large(self.limits.content)
        self._register(parts, is_folder=entry.content is None)
        path = self.folder.joinpath(*parts)
        if entry.content is None:
            self._make_folder(path)
        else:
            self._make_folder(path.parent)
            with contextlib.closing(entry.content) as content:
                self._write(path, content, 0o755 if entry.is_executable else 0o644)

    def _register(self, parts: tuple[str, ...], *, is_folder: bool) -> None:
        """Refuse a path that means another one's file on some file system."""
        for number in range(1, len(parts) + 1):
            path = "/".join(parts[:number])
            wanted = (path, is_folder or number < len(parts))
            known = self._known.setdefault(_fold(path), wanted)
            if len(self._known) > self.limits.files:
                found = f"more than {self.limits.files:,} files and folders"
                raise Refusal(found, ONLY_THE_TASK)
            if known[0] != path:
                raise Refusal(f"{show(known[0])} and {show(path)} clash on some systems")
            if known[1] != wanted[1]:
                raise Refusal(f"{show(path)} is both a file and a folder")
            if known is not wanted and not wanted[1]:
                raise Refusal(f"{show(path)} is in it twice")

    @staticmethod
    def _make_folder(path: Path) -> None:
        with _writing(path):
            path.mkdir(parents=True, exist_ok=True)

    def _write(self, path: Path, content: Content, mode: int) -> None:
        with _writing(path):
            file = create_file(path, mode)
        with file:
            while block := content.read(CHUNK):
                self._bytes += len(block)
                if self._bytes > self.limits.content:
                    raise too_large(self.limits.content)
                if self._bytes > self._ratio_limit:
                    raise bomb()
                with _writing(path):
                    file.write(block)
            with _writing(path):
                file.flush()
                os.fchmod(file.fileno(), mode)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Tell an error of this machine from one of the entry, such as a name that it cannot have."""
    try:
        yield
    except OSError as error:
        if error.errno in _MACHINE_ERRORS:
            raise _WriteError(error) from None
        found = f"{show(path.name)} cannot be written: {error.strerror}"
        raise Refusal(found) from None
