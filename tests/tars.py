"""Fake images, as `docker save` writes them, in either layout."""

from __future__ import annotations

import hashlib
import io
import json
import posixpath
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True)
class Item:
    """One entry of a layer."""

    name: str
    type: bytes = tarfile.REGTYPE
    data: bytes = b""
    link: str = ""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    extra: dict[str, str] = field(default_factory=dict)


def file(name: str, data: bytes | int = b"", **facts: Any) -> Item:
    """Return a regular file with this content, or with a number of zero bytes."""
    return Item(name, data=bytes(data), **facts)


def folder(name: str, mode: int = 0o755, **facts: Any) -> Item:
    return Item(name, tarfile.DIRTYPE, mode=mode, **facts)


def link(name: str, target: str) -> Item:
    return Item(name, tarfile.SYMTYPE, link=target, mode=0o777)


def hardlink(name: str, target: str) -> Item:
    return Item(name, tarfile.LNKTYPE, link=target)


def tar(*items: Item, format: int = tarfile.PAX_FORMAT) -> bytes:  # noqa: A002 - as in tarfile
    """Return a tar archive of these entries."""
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=format) as archive:
        for item in items:
            info = tarfile.TarInfo(item.name)
            info.type, info.linkname, info.mode = item.type, item.link, item.mode
            info.uid, info.gid, info.size = item.uid, item.gid, len(item.data)
            info.pax_headers = item.extra
            archive.addfile(info, io.BytesIO(item.data))
    return output.getvalue()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def config(layers: Sequence[bytes], **facts: Any) -> bytes:
    """Return the image configuration that lists the layers; `facts` are its other parts."""
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{digest(layer)}" for layer in layers]}
    defaults = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["true"]}}
    return json.dumps({**defaults, **facts, "rootfs": rootfs}).encode()


def oci(
    *layers: bytes, pack: Callable[[bytes], bytes] = bytes, tag: str = "x:1", **facts: Any
) -> io.BytesIO:
    """Return the archive of an engine since version 25: blobs by digest, the manifest last."""
    document = config(layers, **facts)
    packed = [pack(layer) for layer in layers]
    blobs = {f"blobs/sha256/{digest(blob)}": blob for blob in (document, *packed)}
    names = [f"blobs/sha256/{digest(blob)}" for blob in packed]
    manifest = _manifest(f"blobs/sha256/{digest(document)}", names, tag)
    items = [folder("blobs/"), *(file(name, blob) for name, blob in blobs.items())]
    return io.BytesIO(tar(*items, file("manifest.json", manifest)))


def oci_layout(
    *layers: bytes,
    pack: Callable[[bytes], bytes] = bytes,
    others: Sequence[tuple[str, bytes]] = (),
    nested: bool = False,
    **facts: Any,
) -> io.BytesIO:
    """Return an archive of OCI's layout alone, as BuildKit and skopeo write it.

    `others` are more images, each an architecture with a layer. With `nested`, the index lists
    another index, as for an image of several platforms.
    """
    blobs: dict[str, bytes] = {}

    def add(blob: bytes, **more: Any) -> dict[str, Any]:
        blobs[f"blobs/sha256/{digest(blob)}"] = blob
        return {"digest": f"sha256:{digest(blob)}", "size": len(blob), **more}

    def add_image(layers: Sequence[bytes], architecture: str, **facts: Any) -> dict[str, Any]:
        document = {
            "schemaVersion": 2,
            "config": add(config(layers, **facts)),
            "layers": [add(pack(layer)) for layer in layers],
        }
        platform = {"os": "linux", "architecture": architecture}
        return add(json.dumps(document).encode(), platform=platform)

    own = add_image(layers, "amd64", **facts)
    listed = [*(add_image([layer], architecture) for architecture, layer in others), own]
    if nested:
        listed = [add(json.dumps({"manifests": listed}).encode())]
    index = json.dumps({"schemaVersion": 2, "manifests": listed}).encode()
    items = [file("oci-layout", b'{"imageLayoutVersion": "1.0.0"}'), file("index.json", index)]
    return io.BytesIO(tar(*items, *(file(name, blob) for name, blob in blobs.items())))


def legacy(*layers: bytes, tag: str = "x:1", **facts: Any) -> io.BytesIO:
    """Return the archive of an older engine: a folder for each layer, links for repeated ones."""
    document = config(layers, **facts)
    first: dict[bytes, str] = {}
    items: list[Item] = []
    names = [f"{digest(str(number).encode())}/layer.tar" for number in range(len(layers))]
    for name, layer in zip(names, layers, strict=True):
        items += [folder(posixpath.dirname(name)), file(f"{posixpath.dirname(name)}/json", b"{}")]
        if layer in first:
            items.append(link(name, f"../{first[layer]}"))
        else:
            items.append(file(name, layer))
        first.setdefault(layer, name)
    manifest = _manifest(f"{digest(document)}.json", names, tag)
    items += [file(f"{digest(document)}.json", document), file("manifest.json", manifest)]
    return io.BytesIO(tar(*items))


def _manifest(config: str, layers: list[str], tag: str) -> bytes:
    return json.dumps([{"Config": config, "RepoTags": [tag], "Layers": layers}]).encode()
