"""Reads tar streams from front to back, within limits and without extracting anything.

`tarfile` only decodes single headers: by itself, it would load a header of any length.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Protocol, cast

from workshop.analysis.image.limits import MAX_EXTRA, MAX_WINDOW, Budget, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHUNK = 1 << 20

_BLOCK = 512
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MAGIC = slice(257, 262)
_REAL_SIZE, _MORE, _MORE_YET = slice(483, 495), 482, 504
_GNU_NAME, _GNU_LINK = tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK


class Readable(Protocol):
    """A stream that is read from front to back."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, and none at the end."""
        ...


class Section:
    """The next `size` bytes of a stream."""

    def __init__(self, stream: Readable, size: int) -> None:
        """Nothing else may read `stream` before the end of the section."""
        self._stream, self.left = stream, size

    def read(self, size: int, /) -> bytes:
        """Return `size` bytes, or what is left; raise `UserError` if the stream ends early."""
        size = min(size, self.left)
        data = read_exactly(self._stream, size)
        if len(data) < size:
            raise unreadable("it ends too early")
        self.left -= size
        return data

    def chunks(self) -> Iterator[bytes]:
        """Yield what is left, in chunks of `CHUNK` bytes."""
        while self.left:
            yield self.read(CHUNK)

    def skip(self) -> None:
        """Skip what is left."""
        for _ in self.chunks():
            pass


class Unread:
    """A stream with its first bytes put back."""

    def __init__(self, head: bytes, stream: Readable) -> None:
        """`head` is returned before the rest of `stream`."""
        self._head, self._stream = head, stream

    def read(self, size: int, /) -> bytes:
        """See `Readable`."""
        if not self._head:
            return self._stream.read(size)
        data, self._head = self._head[:size], self._head[size:]
        return data


def read_exactly(stream: Readable, size: int) -> bytes:
    """Read `size` bytes; fewer only at the end of the stream."""
    data = stream.read(size)
    if len(data) == size or not data:
        return data
    parts, missing = [data], size - len(data)
    while missing and (data := stream.read(missing)):
        parts.append(data)
        missing -= len(data)
    return b"".join(parts)


@dataclass(frozen=True)
class Member:
    """One entry of a tar: `name` and `link` as written, `type` as in the tar header.

    `size` is the size of the file in bytes; the content of a sparse file is shorter in the tar.
    """

    name: str
    type: bytes
    size: int
    mode: int
    uid: int
    gid: int
    link: str
    sparse: bool = False


@dataclass
class _Extra:
    """The fields of extended headers: for the `next` entry, and for `all` following entries."""

    next: dict[str, str] = field(default_factory=dict)
    all: dict[str, str] = field(default_factory=dict)

    def take(self) -> Mapping[str, str]:
        """Return the fields for the next entry."""
        fields, self.next = {**self.all, **self.next}, {}
        return fields


def members(stream: Readable, budget: Budget) -> Iterator[tuple[Member, Section]]:
    """Yield every entry of a tar, in order, with its content, which need not be read."""
    extra = _Extra()
    while info := _header(block := read_exactly(stream, _BLOCK)):
        if info.type in _EXTRA_TYPES:
            budget.spend(size=_BLOCK + info.size, entries=0)
            _read_extra(extra, info, Section(stream, info.size))
            read_exactly(stream, -info.size % _BLOCK)
            continue
        if info.type == tarfile.GNUTYPE_SPARSE:
            extra.next["GNU.sparse.realsize"] = str(tarfile.nti(block[_REAL_SIZE]))  # type: ignore[attr-defined]
            _skip_map(stream, more=block[_MORE])
        member, size = _member(info, extra.take())
        budget.spend(member.name, size)
        budget.spend(member.link, entries=0)
        content = Section(stream, size)
        yield member, content
        content.skip()
        read_exactly(stream, -size % _BLOCK)


_EXTRA_TYPES = {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE, _GNU_NAME, _GNU_LINK}
# Types without content, even if the header has a size.
_NO_CONTENT = {
    tarfile.LNKTYPE,
    tarfile.SYMTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.DIRTYPE,
    tarfile.FIFOTYPE,
}


def _header(block: bytes) -> tarfile.TarInfo | None:
    """Decode a header of 512 bytes; None at the end of the tar."""
    if not block.strip(b"\0"):
        return None
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise unreadable(f"not a tar: {error}") from None


def _read_extra(extra: _Extra, info: tarfile.TarInfo, content: Section) -> None:
    """Read an extended header into `extra`."""
    if not 0 <= info.size <= MAX_EXTRA:
        raise unreadable(f"a header of {info.size} bytes")
    data = content.read(info.size)
    if info.type in {_GNU_NAME, _GNU_LINK}:
        key = "path" if info.type == _GNU_NAME else "linkpath"
        extra.next[key] = _text(data.split(b"\0", 1)[0])
    else:
        (extra.all if info.type == tarfile.XGLTYPE else extra.next).update(_records(data))


def _records(data: bytes) -> dict[str, str]:
    """Parse a pax header: records of `LENGTH KEY=VALUE` and a newline (POSIX, pax)."""
    found, start = {}, 0
    while start < len(data) and data[start]:
        digits, _, _ = data[start : start + 20].partition(b" ")
        if not digits.isdigit() or int(digits) <= len(digits):
            raise unreadable("a pax header without a length")
        end = start + int(digits)
        key, _, value = data[start + len(digits) + 1 : end - 1].partition(b"=")
        found[_text(key)] = _text(value)
        start = end
    return found


def _member(info: tarfile.TarInfo, extra: Mapping[str, str]) -> tuple[Member, int]:
    """Return an entry, with the fields of extended headers applied, and its size in the tar."""
    try:
        size = 0 if info.type in _NO_CONTENT else int(extra.get("size", info.size))
        real = extra.get("GNU.sparse.realsize", extra.get("GNU.sparse.size"))
        member = Member(
            name=extra.get("GNU.sparse.name", extra.get("path", info.name)),
            type=info.type,
            size=int(real or size),
            mode=info.mode,
            uid=int(extra.get("uid", info.uid)),
            gid=int(extra.get("gid", info.gid)),
            link=extra.get("linkpath", info.linkname),
            sparse=real is not None,
        )
    except ValueError as error:
        raise unreadable(f"invalid number in a header: {error}") from None
    if size < 0 or member.size < 0:
        raise unreadable("a file has fewer than 0 bytes")
    return member, size


def _skip_map(stream: Readable, *, more: int) -> None:
    """Skip the blocks that map the parts of a sparse file."""
    while more:
        block = read_exactly(stream, _BLOCK)
        more = block[_MORE_YET] if len(block) == _BLOCK else 0


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


class _Decompressed:
    """A decompressed stream; the decompressor's errors become a `UserError`."""

    def __init__(self, stream: Readable, errors: tuple[type[Exception], ...]) -> None:
        self._stream, self._errors = stream, errors

    def read(self, size: int, /) -> bytes:
        """See `Readable`."""
        try:
            return self._stream.read(size)
        except self._errors as error:
            raise unreadable(f"a compressed layer: {error}") from None


def decompressed(stream: Readable) -> Readable:
    """Return `stream`, decompressed if it begins like gzip or zstd."""
    head = read_exactly(stream, _BLOCK)
    stream = Unread(head, stream)
    if head.startswith(_GZIP):
        gzipped = gzip.GzipFile(fileobj=cast("IO[bytes]", stream))
        return _Decompressed(gzipped, (OSError, EOFError, zlib.error))
    if head.startswith(_ZSTD):
        import zstandard  # noqa: PLC0415 - slow to import, and rarely needed

        reader = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
        return _Decompressed(
            reader.stream_reader(cast("IO[bytes]", stream), read_across_frames=True),
            (zstandard.ZstdError,),
        )
    return stream


def is_tar(head: bytes) -> bool:
    """Whether a stream with this head is a tar; an empty tar consists of zeros."""
    return head[_MAGIC] == b"ustar" or not head.strip(b"\0")
