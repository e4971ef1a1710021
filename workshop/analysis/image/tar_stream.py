"""Tar streams, read once from front to back: nothing is extracted, and all of it is bounded.

`tarfile` decodes single headers here, no more: it would read a header of any length into memory.
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
    """What can be read from front to back."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


class Section:
    """So many bytes of a stream, from where it stands."""

    def __init__(self, stream: Readable, size: int) -> None:
        """`stream` must not be read by others before this is at its end."""
        self._stream, self.left = stream, size

    def read(self, size: int, /) -> bytes:
        """`size` bytes, or what is left; a `UserError` where the stream ends before that."""
        size = min(size, self.left)
        data = exactly(self._stream, size)
        if len(data) < size:
            raise unreadable("it ends too early")
        self.left -= size
        return data

    def chunks(self) -> Iterator[bytes]:
        """What is left, in pieces of `CHUNK` bytes."""
        while self.left:
            yield self.read(CHUNK)

    def skip(self) -> None:
        """Go to the end."""
        for _ in self.chunks():
            pass


class Unread:
    """A stream of which the first bytes have been read already, and are given again."""

    def __init__(self, head: bytes, stream: Readable) -> None:
        """`head` comes before `stream`."""
        self._head, self._stream = head, stream

    def read(self, size: int, /) -> bytes:
        """See `Readable`."""
        if not self._head:
            return self._stream.read(size)
        data, self._head = self._head[:size], self._head[size:]
        return data


def exactly(stream: Readable, size: int) -> bytes:
    """`size` bytes of `stream`; fewer only at its end."""
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
    """One entry of a tar: `name` and `link` as written there, `type` tar's own letter.

    `size` is that of the file, in bytes: a sparse one's content in the tar is shorter.
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
    """What the headers before an entry's own say of it."""

    said: dict[str, str] = field(default_factory=dict)
    common: dict[str, str] = field(default_factory=dict)

    def take(self) -> Mapping[str, str]:
        """What is said of the next entry."""
        said, self.said = {**self.common, **self.said}, {}
        return said


def members(stream: Readable, budget: Budget) -> Iterator[tuple[Member, Section]]:
    """Every entry of a tar, in order, with its content, which may be left unread."""
    extra = _Extra()
    while info := _header(block := exactly(stream, _BLOCK)):
        if info.type in _EXTRA_TYPES:
            budget.spend(size=_BLOCK + info.size, entries=0)
            _note(extra, info, Section(stream, info.size))
            exactly(stream, -info.size % _BLOCK)
            continue
        if info.type == tarfile.GNUTYPE_SPARSE:
            extra.said["GNU.sparse.realsize"] = str(tarfile.nti(block[_REAL_SIZE]))  # type: ignore[attr-defined]
            _skip_map(stream, more=block[_MORE])
        member, size = _member(info, extra.take())
        budget.spend(member.name, size)
        budget.spend(member.link, entries=0)
        content = Section(stream, size)
        yield member, content
        content.skip()
        exactly(stream, -size % _BLOCK)


_EXTRA_TYPES = {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE, _GNU_NAME, _GNU_LINK}
# What has no content, whatever size its header gives.
_BARE = {
    tarfile.LNKTYPE,
    tarfile.SYMTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.DIRTYPE,
    tarfile.FIFOTYPE,
}


def _header(block: bytes) -> tarfile.TarInfo | None:
    """What the 512 bytes say; None at the end of the tar."""
    if not block.strip(b"\0"):
        return None
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise unreadable(f"not a tar: {error}") from None


def _note(extra: _Extra, info: tarfile.TarInfo, content: Section) -> None:
    """Let `extra` know what this entry says of the next ones."""
    if not 0 <= info.size <= MAX_EXTRA:
        raise unreadable(f"a header of {info.size} bytes")
    data = content.read(info.size)
    if info.type in {_GNU_NAME, _GNU_LINK}:
        key = "path" if info.type == _GNU_NAME else "linkpath"
        extra.said[key] = _text(data.split(b"\0", 1)[0])
    else:
        (extra.common if info.type == tarfile.XGLTYPE else extra.said).update(_records(data))


def _records(data: bytes) -> dict[str, str]:
    """The records of a pax header, `LENGTH KEY=VALUE` and a line end each (POSIX, pax)."""
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


def _member(info: tarfile.TarInfo, said: Mapping[str, str]) -> tuple[Member, int]:
    """The entry, with what the headers before it said of it; and its bytes in the tar."""
    try:
        size = 0 if info.type in _BARE else int(said.get("size", info.size))
        real = said.get("GNU.sparse.realsize", said.get("GNU.sparse.size"))
        member = Member(
            name=said.get("GNU.sparse.name", said.get("path", info.name)),
            type=info.type,
            size=int(real or size),
            mode=info.mode,
            uid=int(said.get("uid", info.uid)),
            gid=int(said.get("gid", info.gid)),
            link=said.get("linkpath", info.linkname),
            sparse=real is not None,
        )
    except ValueError as error:
        raise unreadable(f"a header's number: {error}") from None
    if size < 0 or member.size < 0:
        raise unreadable("a file has fewer than 0 bytes")
    return member, size


def _skip_map(stream: Readable, *, more: int) -> None:
    """Pass by the blocks that say where a sparse file's pieces lie."""
    while more:
        block = exactly(stream, _BLOCK)
        more = block[_MORE_YET] if len(block) == _BLOCK else 0


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


class _Decompressed:
    """What a decompressor gives; its complaints are a `UserError`."""

    def __init__(self, stream: Readable, complaints: tuple[type[Exception], ...]) -> None:
        self._stream, self._complaints = stream, complaints

    def read(self, size: int, /) -> bytes:
        """See `Readable`."""
        try:
            return self._stream.read(size)
        except self._complaints as error:
            raise unreadable(f"a compressed layer: {error}") from None


def decompressed(stream: Readable) -> Readable:
    """`stream`, decompressed where it begins as gzip and zstd do."""
    head = exactly(stream, _BLOCK)
    whole = Unread(head, stream)
    if head.startswith(_GZIP):
        gzipped = gzip.GzipFile(fileobj=cast("IO[bytes]", whole))
        return _Decompressed(gzipped, (OSError, EOFError, zlib.error))
    if head.startswith(_ZSTD):
        import zstandard  # noqa: PLC0415 - few layers need it, and it is slow to import

        reader = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
        return _Decompressed(
            reader.stream_reader(cast("IO[bytes]", whole), read_across_frames=True),
            (zstandard.ZstdError,),
        )
    return whole


def is_tar(head: bytes) -> bool:
    """Whether a stream that begins so is a tar; one without entries is nothing but zeros."""
    return head[_MAGIC] == b"ustar" or not head.strip(b"\0")
