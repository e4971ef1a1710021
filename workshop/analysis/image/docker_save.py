"""Reads an archive with one image, such as the output of `docker save`, into an `Image`.

Docker's layout lists the layers in `manifest.json`. The legacy form of it has a folder for each
layer, and links for duplicates; the newer form stores them as OCI's layout does, by digest. An
archive in OCI's layout alone, as BuildKit and skopeo write it, begins at `index.json`.
"""

from __future__ import annotations

import hashlib
import posixpath
import tarfile
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from workshop.analysis.image import oci_index
from workshop.analysis.image.documents import get, parse_json
from workshop.analysis.image.image import Image, Step
from workshop.analysis.image.layers import DIGEST_SIZE, KEPT, Entry, Layer
from workshop.analysis.image.limits import Budget, unreadable
from workshop.analysis.image.secret_search import Found, find_secrets, strings_in
from workshop.analysis.image.tar_stream import (
    Readable,
    Unread,
    decompressed,
    is_tar,
    members,
    read_exactly,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from workshop.analysis.image.tar_stream import Member, Section

MAX_PARTS = 5000  # 127 layers at most; the legacy layout has three files for each
MAX_DOCUMENT = 4_000_000  # bytes of a config or a manifest
MAX_DOCUMENTS = 64_000_000  # bytes of all documents

_HEAD = 512
_TYPES = {
    **dict.fromkeys(("Env", "Cmd", "Entrypoint"), list),
    **dict.fromkeys(("ExposedPorts", "Volumes", "Labels", "Healthcheck"), dict),
}
_BLOBS = "blobs/sha256/"
_WHITEOUT, _META, _OPAQUE = ".wh.", ".wh..wh.", ".wh..wh..opq"
_KINDS = {
    tarfile.DIRTYPE: "dir",
    tarfile.SYMTYPE: "link",
    tarfile.LNKTYPE: "hardlink",
    tarfile.CHRTYPE: "device",
    tarfile.BLKTYPE: "device",
    tarfile.FIFOTYPE: "fifo",
}


def read(
    stream: Readable,
    canaries: Sequence[bytes] = (),
    known: Callable[[str], Layer | None] = lambda _: None,
    digest_size: int = DIGEST_SIZE,
) -> Image:
    """Read the only image in an archive, compressed or not; raise `UserError` if it is damaged.

    `canaries` are searched in the config, the history and every layer, including deleted files;
    `Image.found` has the results. Without canaries, the content of a layer is skipped if `known`
    returns the layer for its diff ID. Files of at most `digest_size` bytes get a digest.
    """
    parts = _Parts(tuple(filter(None, canaries)), known, digest_size)
    for member, content in members(decompressed(stream), Budget(entries=MAX_PARTS)):
        name = posixpath.normpath(member.name)
        if member.type == tarfile.SYMTYPE:
            folder = posixpath.dirname(name)
            parts.links[name] = posixpath.normpath(posixpath.join(folder, member.link))
        elif content.left:
            parts.take(name, content)
    image = _Assembly(parts).image()
    merged = image.merged  # an invalid tree raises its error here
    return replace(image, merger=lambda _: merged)


@dataclass
class _Parts:
    """The parts of the stream, by name, in any order."""

    canaries: tuple[bytes, ...]
    known: Callable[[str], Layer | None]
    digest_size: int = DIGEST_SIZE
    links: dict[str, str] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    layers: dict[str, Layer] = field(default_factory=dict)
    found: dict[str, list[tuple[bytes, str]]] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    document_budget: Budget = field(default_factory=lambda: Budget(bytes=MAX_DOCUMENTS))

    def take(self, name: str, content: Section) -> None:
        """Read one part: a layer if it is a tar, else a document."""
        digest = f"sha256:{name.removeprefix(_BLOBS)}"
        if not self.canaries and name.startswith(_BLOBS) and (layer := self.known(digest)):
            self.layers[name] = layer
            return
        size, head = content.left, content.read(_HEAD)
        stream: Readable = Unread(head, content)
        if not is_tar(head):
            stream = decompressed(stream)
            head = read_exactly(stream, _HEAD)
            stream = Unread(head, stream)
        if is_tar(head):
            self._read_layer(name, stream)
        elif size <= MAX_DOCUMENT:
            self.document_budget.spend(name, size)
            self.documents[name] = read_exactly(stream, MAX_DOCUMENT)

    def resolve(self, name: str) -> str:
        """Follow links; in the legacy layout, a duplicate layer is a link."""
        name = posixpath.normpath(name)
        for _ in self.links:
            name = self.links.get(name, name)
        return name

    def _read_layer(self, name: str, stream: Readable) -> None:
        found: dict[tuple[bytes, str], None] = {}

        def search(path: str, chunks: Iterable[bytes]) -> None:
            found.update(dict.fromkeys((c, path) for c in find_secrets(chunks, self.canaries)))

        searching = search if self.canaries else None
        self.layers[name] = read_layer(stream, self.budget, searching, self.digest_size)
        self.found[name] = list(found)


class _Assembly:
    """Assembles the parts into an image, as listed in the manifest."""

    def __init__(self, parts: _Parts) -> None:
        name, names = _read_manifest(parts.documents)
        self._parts = parts
        self._names = [parts.resolve(layer) for layer in names]
        self._raw = parts.documents.get(parts.resolve(name), b"")
        self._document: dict[str, Any] = parse_json(self._raw, dict, name)

    def image(self) -> Image:
        """Return the image."""
        return Image(
            id=f"sha256:{hashlib.sha256(self._raw).hexdigest()}",
            config=self._read_config(),
            history=self._history(),
            layers=self._layers(),
            found=tuple(self._found()),
        )

    def _read_config(self) -> dict[str, Any]:
        config: dict[str, Any] = get(self._document, "config", dict)
        for key, kind in _TYPES.items():
            get(config, key, kind)
        return config

    def _layers(self) -> tuple[Layer, ...]:
        diff_ids = get(get(self._document, "rootfs", dict), "diff_ids", list)
        missing = [name for name in self._names if name not in self._parts.layers]
        if missing or len(diff_ids) != len(self._names):
            raise unreadable(f"{len(diff_ids)} layers are listed, {len(missing)} are missing")
        return tuple(
            replace(self._parts.layers[name], diff_id=str(diff_id))
            for name, diff_id in zip(self._names, diff_ids, strict=True)
        )

    def _history(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        number = 0
        for step in get(self._document, "history", list):
            empty = not isinstance(step, dict) or bool(step.get("empty_layer"))
            layer = None if empty or number >= len(self._names) else number
            number += not empty
            created_by = str(step.get("created_by") or "") if isinstance(step, dict) else ""
            steps.append(Step(created_by, empty, layer))
        return tuple(steps)

    def _found(self) -> Iterable[Found]:
        canaries = self._parts.canaries
        for path, text in strings_in({k: v for k, v in self._document.items() if k != "history"}):
            yield from (Found(secret, "config", path) for secret in find_secrets([text], canaries))
        for number, step in enumerate(get(self._document, "history", list)):
            texts = [text for _, text in strings_in(step)]
            secrets = {secret for text in texts for secret in find_secrets([text], canaries)}
            yield from (Found(secret, "history", str(number)) for secret in sorted(secrets))
        for number, name in enumerate(self._names):
            for secret, path in self._parts.found.get(name, ()):
                yield Found(secret, number, path)


def _read_manifest(documents: Mapping[str, bytes]) -> tuple[str, list[str]]:
    """Return the names of the config and of the layers, lowest first, as the archive lists them."""
    if "manifest.json" not in documents and oci_index.NAME in documents:
        return oci_index.find_parts(documents)
    manifest = parse_json(documents.get("manifest.json"), list, "manifest.json")
    if len(manifest) != 1 or not isinstance(manifest[0], dict):
        raise unreadable(f"manifest.json lists {len(manifest)} images, not 1")
    return str(manifest[0].get("Config")), [str(n) for n in get(manifest[0], "Layers", list)]


def read_layer(
    stream: Readable,
    budget: Budget,
    search: Callable[[str, Iterable[bytes]], None] | None = None,
    digest_size: int = DIGEST_SIZE,
) -> Layer:
    """Read the layer in an uncompressed tar; call `search` with each path, name and content.

    The layer's `diff_id` is empty, because it is stored in the image's config.
    """
    entries: list[Entry] = []
    whiteouts: list[str] = []
    opaques: list[str] = []
    texts: dict[str, bytes] = {}
    for member, content in members(stream, budget):
        path = clean(member.name)
        folder, _, name = path.rpartition("/")
        if search:
            search(path, [f"{member.name}\0{member.link}".encode(errors="surrogateescape")])
        if name == _OPAQUE:
            opaques.append(folder)
        elif name.startswith(_META) or not path:
            continue
        elif name.startswith(_WHITEOUT):
            whiteouts.append(clean(f"{folder}/{name.removeprefix(_WHITEOUT)}"))
        else:
            digest = _read_content(path, content, texts, search, digest_size)
            entries.append(_entry(path, member, digest))
    size = sum(entry.size for entry in entries if entry.kind == "file")
    return Layer("", size, tuple(entries), tuple(whiteouts), tuple(opaques), texts)


def clean(name: str) -> str:
    """Normalise a path in the image, as Docker does: `..` does not leave the root."""
    return posixpath.normpath(f"/{name}").lstrip("/")


def _entry(path: str, member: Member, digest: str) -> Entry:
    kind = _KINDS.get(member.type, "file")
    return Entry(
        path=path,
        kind=kind,
        size=member.size if kind == "file" else 0,
        mode=member.mode & 0o7777,
        uid=member.uid,
        gid=member.gid,
        target=clean(member.link) if kind == "hardlink" else member.link,
        digest="" if kind != "file" or member.sparse else digest,
    )


def _read_content(
    path: str,
    content: Section,
    texts: dict[str, bytes],
    search: Callable[[str, Iterable[bytes]], None] | None,
    digest_size: int,
) -> str:
    """Keep and search the content of a file; return its digest if the file is small enough."""
    if content.left <= min(digest_size, DIGEST_SIZE):
        data = content.read(content.left)
        if path in KEPT:
            texts[path] = data
        if search:
            search(path, [data])
        return hashlib.sha256(data).hexdigest()
    if content.left > digest_size:
        if search:
            search(path, content.chunks())
        return ""
    digest = hashlib.sha256()

    def chunks() -> Iterator[bytes]:
        for chunk in content.chunks():
            digest.update(chunk)
            yield chunk

    (search or _ignore)(path, chunks())
    for _ in chunks():
        pass
    return digest.hexdigest()


def _ignore(_path: str, _chunks: Iterable[bytes]) -> None:
    """Search for nothing."""
