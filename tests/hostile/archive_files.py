"""Makes hostile archives from their entries in a `.toml` file.

An entry has a `name` and one of: `text`, `zeros` (MB of zero bytes), `link` or `hardlink` (the
target), `device = true`, `fifo = true`, `sparse` (MB that a file pretends to have), `header` (KB of
a description that precedes the entry), `method` (a compression method of zip), or `copies` (how
often the entry occurs, each time with a number in its name).
"""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_MB = 1_000_000
_MODES = {"link": stat.S_IFLNK, "device": stat.S_IFCHR, "fifo": stat.S_IFIFO}
_TYPES = {
    "link": tarfile.SYMTYPE,
    "hardlink": tarfile.LNKTYPE,
    "device": tarfile.CHRTYPE,
    "fifo": tarfile.FIFOTYPE,
}


def pack(kind: str, entries: Iterable[Mapping[str, Any]]) -> bytes:
    """Return an archive of a kind: `zip`, `tar`, `tar.gz`, or `index` (an endless zip file)."""
    return _KINDS[kind](entries)


def _content(entry: Mapping[str, Any]) -> bytes:
    return bytes(entry.get("zeros", 0) * _MB) or entry.get("text", "").encode()


def _pack_zip(entries: Iterable[Mapping[str, Any]]) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        for entry in entries:
            # The writer would correct a name that it is given at the start.
            info = zipfile.ZipInfo("x")
            info.filename = entry["name"]
            kind = next((mode for key, mode in _MODES.items() if key in entry), stat.S_IFREG)
            info.create_system, info.external_attr = 3, (kind | 0o644) << 16
            content = str(entry["link"]).encode() if "link" in entry else _content(entry)
            archive.writestr(info, content, entry.get("method", zipfile.ZIP_DEFLATED))
    return output.getvalue()


def _pack_index(entries: Iterable[Mapping[str, Any]]) -> bytes:
    """Return a zip file that consists of its list of entries, as `copies` of an entry.

    Source: APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16.
    """
    (entry,) = entries
    count = entry["copies"]
    head = struct.pack("<4s6H3L5H2L", b"PK\1\2", *[20] * 2, *[0] * 7, 7, *[0] * 6)
    index = b"".join(head + b"%07d" % number for number in range(count))
    size, numbers = len(index), (count, count, len(index), 0)
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, *numbers)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, size, 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65535, 65535, size, 0, 0)
    return index + end64 + locator + end


def _pack_tar(entries: Iterable[Mapping[str, Any]]) -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        for entry in entries:
            copies = entry.get("copies", 1)
            for number in range(copies):
                name = entry["name"]
                _add(archive, entry, f"{name}{number}" if copies > 1 else name)
    return output.getvalue()


def _add(archive: tarfile.TarFile, entry: Mapping[str, Any], name: str) -> None:
    info = tarfile.TarInfo(name)
    content = _content(entry)
    info.type = next((kind for key, kind in _TYPES.items() if key in entry), tarfile.REGTYPE)
    info.linkname = entry.get("link", entry.get("hardlink", ""))
    if "sparse" in entry:
        size = str(entry["sparse"] * _MB)
        # A map without data: the file is one hole.
        content = b"0\n".ljust(512, b"\0")
        version = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
        info.pax_headers = {**version, "GNU.sparse.name": name, "GNU.sparse.realsize": size}
    if "header" in entry:
        info.pax_headers = {"comment": "0" * entry["header"] * 1_000}
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


_KINDS: dict[str, Callable[[Iterable[Mapping[str, Any]]], bytes]] = {
    "zip": _pack_zip,
    "index": _pack_index,
    "tar": _pack_tar,
    "tar.gz": lambda entries: gzip.compress(_pack_tar(entries)),
}
