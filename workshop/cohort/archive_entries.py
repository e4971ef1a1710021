"""Reads the entries of zip and tar archives one by one, in bounded memory."""

from __future__ import annotations

import gzip
import io
import os
import re
import stat
import tarfile
import zipfile
from typing import TYPE_CHECKING, NamedTuple, Protocol

from workshop.grading.build_context import MAX_BYTES, MAX_FILES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

CHUNK = 64 * 1024
# The smallest size at which the ratio counts: a short text of one letter compresses well, too.
RATIO_BYTES = 1_000_000
CUT_OFF = "the archive is cut off or damaged"
AGAIN = "Download it again, or ask for a new archive"
ONLY_THE_TASK = "Ask for the files of the task only"

# Names (PAX headers) that describe one entry; macOS stores attributes there.
_MAX_HEADER = 8 * 1024
_MAX_HEADERS_IN_A_ROW = 8
# The sum of their squared sizes: `tarfile` needs a second for 1,000 million.
_MAX_HEADER_COST = 5_000_000_000
_HEADERS = frozenset(
    {
        *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
        *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    }
)
_SPARSE = frozenset(
    {"GNU.sparse.major", "GNU.sparse.map", "GNU.sparse.size", "GNU.sparse.numblocks"}
)
_STORED_OR_DEFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_START = 265
_SHOWN = 60


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


class Refusal(Exception):  # noqa: N818 - becomes a `Refused`
    """An archive that is refused: what was found, and how to fix it."""

    def __init__(self, found: str, fix: str = "Ask for the archive again, without that") -> None:
        self.found, self.fix = found, fix
        super().__init__(found)


class Content(Protocol):
    """What is needed of the content of an entry."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, at most `size`; none at the end."""

    def close(self) -> None:
        """Free what is open."""


class Entry(NamedTuple):
    """A file or folder of an archive; `size` in bytes, `content` to read, None for a folder.

    `kind` is "a link" or the like, for what is neither a file nor a folder.
    """

    path: str
    size: int
    is_executable: bool
    content: Content | None
    kind: str = ""


def too_large(limit: int) -> Refusal:
    """Return the refusal of content over a limit in bytes."""
    found = f"more than {limit // 1_000_000:,} MB of content"
    return Refusal(found, ONLY_THE_TASK)


def bomb() -> Refusal:
    """Return the refusal of content that a small archive expands to."""
    return Refusal("its content is far larger than the archive (a bomb)", "Ask for a new archive")


def show(name: str) -> str:
    """Return a name that is safe to print, in at most 60 characters."""
    text = name if name.isprintable() else ascii(name)[1:-1]
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def read_entries(archive: Path, limits: Limits) -> Iterator[Entry]:
    """Yield the entries of an archive; each is valid until the next.

    Raises `Refusal`, or what the standard library raises for a damaged archive.
    """
    if not stat.S_ISREG(archive.lstat().st_mode):
        raise Refusal("not a regular file", "Replace it with the archive itself")
    with _BoundedFile(archive, limits.directory) as file:
        start = file.read(_START)
        file.seek(0)
        yield from _read_kind(file, start, limits)


def _read_kind(file: _BoundedFile, start: bytes, limits: Limits) -> Iterator[Entry]:
    """Yield the entries of an archive, by its content: names are often wrong."""
    if start.startswith(b"PK"):
        return _read_zip(file, limits)
    if start.startswith(b"\x1f\x8b"):
        unpacked = gzip.GzipFile(fileobj=file)
        return _read_tar(_Counted(unpacked, limits.read, file.size * limits.ratio))
    if start[257:262] == b"ustar" or (len(start) > 257 and _is_old_tar(start)):  # noqa: PLR2004 - where the magic is
        return _read_tar(_Counted(file, limits.read, limits.read))
    if not start:
        raise Refusal("an empty file", AGAIN)
    raise Refusal("not a .zip, .tar or .tar.gz archive", "Ask for a .zip file")


def _is_old_tar(start: bytes) -> bool:
    """Whether a block without magic is a header of a tar archive: the checksum is octal."""
    return re.fullmatch(rb"[ 0]*[0-7]+[ \0]+", start[148:156]) is not None


# ---- zip


def _read_zip(file: _BoundedFile, limits: Limits) -> Iterator[Entry]:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if len(members) > limits.entries:
            raise Refusal(f"more than {limits.entries:,} entries", ONLY_THE_TASK)
        for member in members:
            yield _read_zip_member(archive, member)


def _read_zip_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Entry:
    # `filename` ends at the first NUL.
    name = member.orig_filename
    mode = member.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return Entry(name, 0, is_executable=False, content=None, kind=_name_kind(mode))
    if member.flag_bits & _ENCRYPTED:
        raise Refusal("it is encrypted", "Ask for an archive without a password")
    if member.compress_type not in _STORED_OR_DEFLATED:
        found = f"{show(name)} is compressed with method {member.compress_type}"
        raise Refusal(found, "Ask for a usual .zip file (deflate)")
    if name.endswith(("/", "\\")) or kind == stat.S_IFDIR:
        return Entry(name, 0, is_executable=False, content=None)
    return Entry(name, member.file_size, bool(mode & stat.S_IXUSR), _Lazy(archive, member))


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
            raise Refusal("too many entries: its index is too large", ONLY_THE_TASK)
        return super().read(-1 if size is None else size)


# ---- tar


class _Counted(io.RawIOBase):
    """A stream that raises a refusal after a number of bytes."""

    def __init__(self, file: IO[bytes] | gzip.GzipFile, limit: int, ratio_limit: int) -> None:
        self._file, self._read = file, 0
        self.limit, self._ratio_limit = limit, max(ratio_limit, RATIO_BYTES)

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(min(size, CHUNK) if size >= 0 else CHUNK)
        self._read += len(block)
        if self._read > self.limit:
            raise too_large(self.limit)
        if self._read > self._ratio_limit:
            raise bomb()
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
            raise Refusal(CUT_OFF, AGAIN) from None

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.size < 0:
            raise Refusal("an entry has a negative size", AGAIN)
        in_a_row = getattr(archive, "headers_in_a_row", 0) + 1 if self.type in _HEADERS else 0
        archive.headers_in_a_row = in_a_row  # type: ignore[attr-defined]
        if in_a_row > _MAX_HEADERS_IN_A_ROW or (in_a_row and self.size > _MAX_HEADER):
            raise Refusal("the header of an entry is too long", AGAIN)
        cost = getattr(archive, "header_cost", 0) + (self.size**2 if in_a_row else 0)
        archive.header_cost = cost  # type: ignore[attr-defined]
        if cost > _MAX_HEADER_COST:
            raise Refusal("the headers of its entries are too long", AGAIN)
        return super()._proc_member(archive)  # type: ignore[misc, no-any-return]


def _read_tar(stream: _Counted) -> Iterator[Entry]:
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Member, errorlevel=2) as archive:
        while member := archive.next():
            # The list of all members is for other readers, and grows.
            archive.members = []  # type: ignore[attr-defined]
            # `next` reads up to the end of the entry, however far away that is.
            if not 0 <= member.size <= stream.limit:
                raise too_large(stream.limit)
            yield _read_tar_member(archive, member)
    # A compressed file that is cut off, or damaged, says so at its end.
    while stream.read(CHUNK):
        pass


def _read_tar_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    if member.issparse() or _SPARSE & set(member.pax_headers):
        return Entry(member.name, 0, is_executable=False, content=None, kind="a sparse file")
    if member.isdir():
        return Entry(member.name, 0, is_executable=False, content=None)
    if not member.isreg():
        kind = _name_tar_kind(member)
        return Entry(member.name, 0, is_executable=False, content=None, kind=kind)
    content = archive.extractfile(member)
    return Entry(member.name, member.size, bool(member.mode & stat.S_IXUSR), content)


def _name_tar_kind(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return "a link"
    return "a FIFO" if member.isfifo() else "a device" if member.isdev() else "of an unknown kind"


def _name_kind(mode: int) -> str:
    return "a link" if stat.S_ISLNK(mode) else "a FIFO" if stat.S_ISFIFO(mode) else "a device"
