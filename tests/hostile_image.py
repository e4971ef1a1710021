"""Reads a made-up hostile archive of 2 GB or at some limit, and prints its own peak memory.

Run as a program: `python hostile_image.py NAME`. The archive is made while it is read. The last
line of the output is the peak of the resident memory in kB, and the lines above what was found.
"""

from __future__ import annotations

import json
import sys
import tarfile
import zlib
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

import zstandard

from workshop.analysis.image import limits
from workshop.analysis.image.docker_save import MAX_DOCUMENT, read
from workshop.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GB = 10**9
MB = 10**6
BLOCK = 512


class Stream:
    """A stream of chunks that are made when they are read."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._rest = iter(chunks), b""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, and none at the end."""
        parts, length = [self._rest], len(self._rest)
        while length < size and (chunk := next(self._chunks, None)) is not None:
            parts.append(chunk)
            length += len(chunk)
        data = b"".join(parts)
        self._rest = data[size:]
        return data[:size]


def header(name: str, size: int = 0) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)


def archive(layer: Iterable[bytes], size: int, *documents: tuple[str, bytes]) -> Iterator[bytes]:
    """Yield an archive with one layer of `size` bytes, and further documents."""
    yield header("layer.tar", size)
    yield from layer
    yield bytes(-size % BLOCK)
    manifest = json.dumps([{"Config": "c.json", "Layers": ["layer.tar"]}]).encode()
    config = json.dumps({"config": {}, "rootfs": {"diff_ids": ["sha256:x"]}}).encode()
    for name, data in (("c.json", config), ("manifest.json", manifest), *documents):
        yield header(name, len(data))
        yield padded(data)
    yield bytes(2 * BLOCK)


def large_file() -> Iterator[bytes]:
    """One file of 2 GB."""
    layer = chain([header("big", 2 * GB)], repeat(bytes(MB), 2000))
    return archive(layer, BLOCK + 2 * GB)


def packed(compress, flush) -> Iterator[bytes]:
    """One file of 2 GB, in a compressed layer of a few MB."""
    layer = chain([header("big", 2 * GB)], repeat(bytes(MB), 2000), [bytes(2 * BLOCK)])
    data = b"".join([*map(compress, layer), flush()])
    return archive([data], len(data))


def gzip_bomb() -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=31)
    return packed(packer.compress, packer.flush)


def zstd_bomb() -> Iterator[bytes]:
    """The same, with the largest window that the reader accepts."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return packed(packer.compress, packer.flush)


def many_files() -> Iterator[bytes]:
    """As many files with a digest as the limits allow, in 2 GB with long names."""
    count = limits.MAX_ENTRIES - 1001
    name = f"d{{:03}}/{{:07}}{'x' * (limits.MAX_NAMES // limits.MAX_ENTRIES - 15)}".format
    size = 5 * BLOCK
    data = padded(b"a" * size)
    one = len(header(name(0, 0), size)) + len(data)
    files = (header(name(n % 1000, n), size) + data for n in range(count))
    return archive(files, one * count)


def nested_documents() -> Iterator[bytes]:
    """As many documents as the limits allow, and a config that is expensive to decode."""
    nested = b'{"a": [' + b"[]," * ((MAX_DOCUMENT - 20) // 3) + b"0]}"
    documents = [(f"{n}.json", nested) for n in range(15)]
    return archive([], 0, *documents, ("c.json", nested))


def long_headers() -> Iterator[bytes]:
    """2 GB of the longest extended headers."""
    record = b"%d comment=" % limits.MAX_EXTRA
    record += b"x" * (limits.MAX_EXTRA - len(record) - 1) + b"\n"
    extra = tarfile.TarInfo("pax")
    extra.type, extra.size = tarfile.XHDTYPE, len(record)
    one = extra.tobuf(tarfile.GNU_FORMAT) + record + header("f")
    return archive(repeat(one, 2000), len(one) * 2000)


CASES = {
    case.__name__: case
    for case in (large_file, gzip_bomb, zstd_bomb, many_files, nested_documents, long_headers)
}


def main() -> None:
    """Read the archive that is named in the arguments."""
    try:
        found = read(Stream(CASES[sys.argv[1]]()), digest_size=limits.MAX_BYTES)
        line = f"{len(found.tree)} paths, {found.live} bytes"
    except UserError as error:
        line = str(error)
    # Not of getrusage, which includes that of the program that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    sys.stdout.write(f"{line}\n{peak}\n")


if __name__ == "__main__":
    main()
