"""Extracts the archives of strangers: zip and tar files, entry by entry, into one folder.

An archive is refused as a whole, in one line, if an entry is anything but a plain file or folder
below the target. Links are refused even if they stay inside: no task needs one, and what a link
means depends on the order of the entries. Of the permissions, only the executable bit is kept.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import io
import os
import re
import shutil
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from typing import TYPE_CHECKING, NamedTuple, Protocol

from workshop.cohort.submission import Refused
from workshop.core.paths import MAX_PATH, is_local
from workshop.grading.build_context import MAX_BYTES, MAX_FILES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")
# Archives that learners send, and that this module does not read.
OTHER_SUFFIXES = (".rar", ".7z", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".gz", ".zipx")

_CHUNK = 64 * 1024
# The smallest size at which the ratio counts: a short text of one letter compresses well, too.
_RATIO_BYTES = 1_000_000
# Names (PAX headers) that describe one entry; macOS stores attributes there.
_MAX_HEADER = 8 * 1024
_MAX_HEADERS_IN_A_ROW = 8
# Longest part of a path, in bytes, and most parts.
_MAX_NAME = 255
_MAX_DEPTH = 100
_HEADERS = frozenset(
    {
        *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
        *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    }
)
_SPARSE = frozenset(
    {"GNU.sparse.major", "GNU.sparse.map", "GNU.sparse.size", "GNU.sparse.numblocks"}
)
_DRIVE = re.compile(r"[A-Za-z]:")
# The zero-width joiners belong to words of some scripts.
_JOINERS = "\u200c\u200d"
_UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_STORED_OR_DEFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1 | 0x40 | 0x2000
# Errors of writing that are the fault of this machine; others are the fault of the entry's name.
_MACHINE_ERRORS = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM),
    *(errno.EMFILE, errno.ENFILE, errno.EIO),
}
_CUT_OFF = "the archive is cut off or damaged"
_AGAIN = "Download it again, or ask for a new archive"

# What the standard library raises for archives that are damaged or made up.
_ERRORS = (
    *(tarfile.TarError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, gzip.BadGzipFile),
    *(EOFError, ValueError, LookupError, ArithmeticError, RuntimeError, OSError, MemoryError),
    *(TypeError, AttributeError),
)


class Limits(NamedTuple):
    """What an archive may contain.

    `content` (bytes) and `files` count what is extracted; `entries` and `read` (bytes) also count
    what is skipped: files that belong to one machine, such as .venv. `ratio` is the most that the
    content may be larger than the archive, and `directory` (bytes) the most that the list of a zip
    file's entries may take.
    """

    content: int
    files: int
    entries: int
    read: int
    ratio: int = 200
    directory: int = 4_000_000


LEARNER = Limits(MAX_BYTES, MAX_FILES, entries=50_000, read=500_000_000)
# The download of a whole class holds the archives of the learners, which stay files.
CLASS = Limits(4_000_000_000, 200_000, entries=200_000, read=4_000_000_000, directory=40_000_000)


class _Refusal(Exception):  # noqa: N818 - becomes a `Refused`
    def __init__(self, found: str, fix: str = "Ask for the archive again, without that") -> None:
        self.found, self.fix = found, fix
        super().__init__(found)


class _Content(Protocol):
    """What is needed of the content of an entry."""

    def read(self, size: int = -1, /) -> bytes: ...

    def close(self) -> None: ...


class _Entry(NamedTuple):
    """A file or folder of an archive; `size` in bytes, `content` to read, None for a folder.

    `kind` is "a link" or the like, for what is neither a file nor a folder.
    """

    path: str
    size: int
    is_executable: bool
    content: _Content | None
    kind: str = ""


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
        _extract(archive, _Target(target, limits, archive.lstat().st_size))
    except _Refusal as refusal:
        refused = Refused(origin, refusal.found, refusal.fix)
    except _WriteError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise OSError(error.cause.errno, error.cause.strerror, str(target)) from None
    except RecursionError:
        refused = Refused(origin, "its headers are nested too deeply", _AGAIN)
    except _ERRORS as error:
        found = "it cannot be read as an archive"
        if isinstance(error, OSError) and error.strerror:
            found = error.strerror
        elif isinstance(error, EOFError):
            found = _CUT_OFF
        refused = Refused(origin, found, _AGAIN)
    else:
        return None
    shutil.rmtree(target, ignore_errors=True)
    return refused


def _extract(archive: Path, target: _Target) -> None:
    info = archive.lstat()
    if not stat.S_ISREG(info.st_mode):
        raise _Refusal("not a regular file", "Replace it with the archive itself")
    with _BoundedFile(archive, target.limits.directory) as file:
        start = file.read(265)
        file.seek(0)
        for entry in _read_entries(file, start, target.limits):
            target.add(entry)


def _read_entries(file: _BoundedFile, start: bytes, limits: Limits) -> Iterator[_Entry]:
    """Yield the entries of an archive, by its content: names are often wrong."""
    if start.startswith(b"PK"):
        return _read_zip(file, limits)
    if start.startswith(b"\x1f\x8b"):
        unpacked = gzip.GzipFile(fileobj=file)
        return _read_tar(_Counted(unpacked, limits.read, file.size * limits.ratio))
    if start[257:262] == b"ustar" or (len(start) > 257 and _is_old_tar(start)):  # noqa: PLR2004 - where the magic is
        return _read_tar(_Counted(file, limits.read, limits.read))
    if not start:
        raise _Refusal("an empty file", _AGAIN)
    raise _Refusal("not a .zip, .tar or .tar.gz archive", "Ask for a .zip file")


def _is_old_tar(start: bytes) -> bool:
    """Whether a block without magic is a header of a tar archive: the checksum is octal."""
    return re.fullmatch(rb"[ 0]*[0-7]+[ \0]+", start[148:156]) is not None


# ---- zip


def _read_zip(file: _BoundedFile, limits: Limits) -> Iterator[_Entry]:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if len(members) > limits.entries:
            raise _Refusal(f"more than {limits.entries:,} entries")
        for member in members:
            yield _read_zip_member(archive, member)


def _read_zip_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> _Entry:
    # `filename` ends at the first NUL.
    name = member.orig_filename
    mode = member.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return _Entry(name, 0, is_executable=False, content=None, kind=_name_kind(mode))
    if member.flag_bits & _ENCRYPTED:
        raise _Refusal("it is encrypted", "Ask for an archive without a password")
    if member.compress_type not in _STORED_OR_DEFLATED:
        found = f"{_show(name)} is compressed with method {member.compress_type}"
        raise _Refusal(found, "Ask for a usual .zip file (deflate)")
    if name.endswith(("/", "\\")) or kind == stat.S_IFDIR:
        return _Entry(name, 0, is_executable=False, content=None)
    return _Entry(name, member.file_size, bool(mode & stat.S_IXUSR), _Lazy(archive, member))


class _Lazy:
    """A zip member that is opened when it is read: skipped ones never are."""

    def __init__(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        self._archive, self._member = archive, member
        self._file: IO[bytes] | None = None

    def read(self, size: int = -1, /) -> bytes:
        self._file = self._file or self._archive.open(self._member)
        return self._file.read(size)

    def close(self) -> None:
        if self._file:
            self._file.close()


class _BoundedFile(io.FileIO):
    """A file that refuses to read more than `limit` bytes at once.

    `zipfile` reads the whole central directory into memory, however large.
    """

    def __init__(self, path: Path, limit: int) -> None:
        super().__init__(path)
        self.size = os.fstat(self.fileno()).st_size
        self._limit = limit

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self.size - self.tell())
        if (left if size is None or size < 0 else min(size, left)) > self._limit:
            raise _Refusal("too many entries: its index is too large")
        return super().read(-1 if size is None else size)


# ---- tar


class _Counted(io.RawIOBase):
    """A stream that raises a refusal after a number of bytes."""

    def __init__(self, file: IO[bytes] | gzip.GzipFile, limit: int, ratio_limit: int) -> None:
        self._file, self._read = file, 0
        self.limit, self._ratio_limit = limit, max(ratio_limit, _RATIO_BYTES)

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(min(size, _CHUNK) if size >= 0 else _CHUNK)
        self._read += len(block)
        if self._read > self.limit:
            raise _too_large(self.limit)
        if self._read > self._ratio_limit:
            raise _bomb()
        return block


class _Member(tarfile.TarInfo):
    """An entry of a tar archive whose headers are small and few, and none of them damaged.

    `tarfile` reads such headers into memory, calls itself for each of several in a row, and
    searches them with patterns that need quadratic time. A damaged one ends the archive silently.
    """

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> _Member:
        try:
            return super().fromtarfile(archive)
        except tarfile.HeaderError as error:
            if type(error).__name__ == "EOFHeaderError":
                raise
            raise _Refusal(_CUT_OFF, _AGAIN) from None

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.size < 0:
            raise _Refusal("an entry has a negative size", _AGAIN)
        in_a_row = getattr(archive, "headers_in_a_row", 0) + 1 if self.type in _HEADERS else 0
        archive.headers_in_a_row = in_a_row  # type: ignore[attr-defined]
        if in_a_row > _MAX_HEADERS_IN_A_ROW or (in_a_row and self.size > _MAX_HEADER):
            raise _Refusal("the header of an entry is too long", _AGAIN)
        return super()._proc_member(archive)  # type: ignore[misc, no-any-return]


def _read_tar(stream: _Counted) -> Iterator[_Entry]:
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Member, errorlevel=2) as archive:
        while member := archive.next():
            # The list of all members is for other readers, and grows.
            archive.members = []  # type: ignore[attr-defined]
            # `next` reads up to the end of the entry, however far away that is.
            if not 0 <= member.size <= stream.limit:
                raise _too_large(stream.limit)
            yield _read_tar_member(archive, member)
    # A compressed file that is cut off, or damaged, says so at its end.
    while stream.read(_CHUNK):
        pass


def _read_tar_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> _Entry:
    if member.issparse() or _SPARSE & set(member.pax_headers):
        return _Entry(member.name, 0, is_executable=False, content=None, kind="a sparse file")
    if member.isdir():
        return _Entry(member.name, 0, is_executable=False, content=None)
    if not member.isreg():
        kind = _name_tar_kind(member)
        return _Entry(member.name, 0, is_executable=False, content=None, kind=kind)
    content = archive.extractfile(member)
    return _Entry(member.name, member.size, bool(member.mode & stat.S_IXUSR), content)


def _name_tar_kind(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return "a link"
    return "a FIFO" if member.isfifo() else "a device" if member.isdev() else "of an unknown kind"


def _name_kind(mode: int) -> str:
    return "a link" if stat.S_ISLNK(mode) else "a FIFO" if stat.S_ISFIFO(mode) else "a device"


# ---- names and files


def split_path(name: str) -> tuple[str, ...]:
    """Return the parts of an entry's name; empty for the archive's own top folder.

    Raises an exception that `extract` turns into a `Refused`, for names that leave the target or
    cannot be shown.
    """
    # Some programs on Windows write backslashes.
    path = name.replace("\\", "/")
    if path.startswith("/") or _DRIVE.match(path):
        raise _Refusal(f"{_show(name)} is an absolute path")
    if any(unicodedata.category(mark) in _UNSAFE for mark in path if mark not in _JOINERS):
        raise _Refusal(f"the name {_show(name)} contains control characters")
    parts = tuple(part for part in path.split("/") if part not in {"", "."})
    if ".." in parts:
        raise _Refusal(f"{_show(name)} leads out of the folder")
    if len(path.encode()) > MAX_PATH or any(len(part.encode()) > _MAX_NAME for part in parts):
        raise _Refusal(f"the name {_show(name)} is too long")
    if len(parts) > _MAX_DEPTH:
        raise _Refusal(f"{_show(name)} is nested too deeply")
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
        self._ratio_limit = max(archive_size * limits.ratio, _RATIO_BYTES)
        self._entries = self._bytes = 0
        # By folded path: the path itself, and whether it is a folder.
        self._known: dict[str, tuple[str, bool]] = {}

    def add(self, entry: _Entry) -> None:
        """Write one entry, or raise a refusal."""
        self._entries += 1
        if self._entries > self.limits.entries:
            raise _Refusal(f"more than {self.limits.entries:,} entries")
        parts = split_path(entry.path)
        if not parts:
            if entry.content:
                raise _Refusal(f"a file named {_show(entry.path)}")
            return
        if _is_skipped(parts):
            return
        if entry.kind:
            raise _Refusal(f"{_show(entry.path)} is {entry.kind}")
        # The size that the archive states: a refusal before anything is written.
        if self._bytes + entry.size > self.limits.content:
            raise _too_large(self.limits.content)
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
                raise _Refusal(f"more than {self.limits.files:,} files and folders")
            if known[0] != path:
                raise _Refusal(f"{_show(known[0])} and {_show(path)} clash on some systems")
            if known[1] != wanted[1]:
                raise _Refusal(f"{_show(path)} is both a file and a folder")
            if known is not wanted and not wanted[1]:
                raise _Refusal(f"{_show(path)} is in it twice")

    @staticmethod
    def _make_folder(path: Path) -> None:
        with _writing(path):
            path.mkdir(parents=True, exist_ok=True)

    def _write(self, path: Path, content: _Content, mode: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with _writing(path):
            file = os.fdopen(os.open(path, flags, mode), "wb")
        with file:
            while block := content.read(_CHUNK):
                self._bytes += len(block)
                if self._bytes > self.limits.content:
                    raise _too_large(self.limits.content)
                if self._bytes > self._ratio_limit:
                    raise _bomb()
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
        found = f"{_show(path.name)} cannot be written: {error.strerror}"
        raise _Refusal(found) from None


def _too_large(limit: int) -> _Refusal:
    found = f"more than {limit // 1_000_000:,} MB of content"
    return _Refusal(found, "Ask for the files of the task only")


def _bomb() -> _Refusal:
    return _Refusal("its content is far larger than the archive (a bomb)", "Ask for a new archive")


def _show(name: str) -> str:
    """Return a name that is safe to print, in at most 60 characters."""
    text = name if name.isprintable() else ascii(name)[1:-1]
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - as above
