"""What `docker save` writes, read into an `Image`: both of its layouts.

The older has a folder for each layer, and links for one that comes twice; the newer is OCI's.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import tarfile
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from workshop.analysis.image.image import Image, Step
from workshop.analysis.image.layers import DIGEST_SIZE, KEPT, Entry, Layer
from workshop.analysis.image.limits import Budget, unreadable
from workshop.analysis.image.secret_search import Found, find_secrets, strings_in
from workshop.analysis.image.tar_stream import (
    Readable,
    Unread,
    decompressed,
    exactly,
    is_tar,
    members,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from workshop.analysis.image.tar_stream import Member, Section

MAX_PARTS = 5000  # an image has at most 127 layers; the legacy layout three files for each
MAX_DOCUMENT = 4_000_000  # bytes of a config or a manifest
MAX_DOCUMENTS = 64_000_000  # bytes of all of them

_HEAD = 512
_SHAPES = {
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
) -> Image:
    """Take apart the one image that `docker save` writes; a `UserError` where that cannot be.

    `known` gives the facts of a layer by its diff ID, and its content is passed by; but not
    where there are `needles`, each of which is searched in the config, the history and every
    layer, deleted files included: `found` says where they are.
    """
    parts = _Parts(tuple(filter(None, canaries)), known)
    for member, content in members(stream, Budget(entries=MAX_PARTS)):
        name = posixpath.normpath(member.name)
        if member.type == tarfile.SYMTYPE:
            folder = posixpath.dirname(name)
            parts.links[name] = posixpath.normpath(posixpath.join(folder, member.link))
        elif content.left:
            parts.take(name, content)
    image = _Assembly(parts).image()
    merged = image.merged  # what is wrong with the tree is known now or never
    return replace(image, merger=lambda _: merged)


@dataclass
class _Parts:
    """What the stream holds, by name, in whatever order it comes."""

    canaries: tuple[bytes, ...]
    known: Callable[[str], Layer | None]
    links: dict[str, str] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    layers: dict[str, Layer] = field(default_factory=dict)
    found: dict[str, list[tuple[bytes, str]]] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    paper: Budget = field(default_factory=lambda: Budget(bytes=MAX_DOCUMENTS))

    def take(self, name: str, content: Section) -> None:
        """Read one part: a layer where it is a tar, else a document."""
        digest = f"sha256:{name.removeprefix(_BLOBS)}"
        if not self.canaries and name.startswith(_BLOBS) and (layer := self.known(digest)):
            self.layers[name] = layer
            return
        size, head = content.left, content.read(_HEAD)
        whole: Readable = Unread(head, content)
        if not is_tar(head):
            whole = decompressed(whole)
            head = exactly(whole, _HEAD)
            whole = Unread(head, whole)
        if is_tar(head):
            self._read_layer(name, whole)
        elif size <= MAX_DOCUMENT:
            self.paper.spend(name, size)
            self.documents[name] = exactly(whole, MAX_DOCUMENT)

    def real(self, name: str) -> str:
        """Where a name leads; the legacy layout has links from one layer to its double."""
        name = posixpath.normpath(name)
        for _ in self.links:
            name = self.links.get(name, name)
        return name

    def _read_layer(self, name: str, stream: Readable) -> None:
        found: dict[tuple[bytes, str], None] = {}

        def search(path: str, pieces: Iterable[bytes]) -> None:
            found.update(dict.fromkeys((n, path) for n in find_secrets(pieces, self.canaries)))

        self.layers[name] = read_layer(stream, self.budget, search if self.canaries else None)
        self.found[name] = list(found)


class _Assembly:
    """The parts put together as the manifest says."""

    def __init__(self, parts: _Parts) -> None:
        manifest = _json(parts.documents.get("manifest.json"), list, "manifest.json")
        if len(manifest) != 1 or not isinstance(manifest[0], dict):
            raise unreadable(f"manifest.json names {len(manifest)} images, not 1")
        self._parts = parts
        self._names = [parts.real(str(name)) for name in _part(manifest[0], "Layers", list)]
        name = str(manifest[0].get("Config"))
        self._raw = parts.documents.get(parts.real(name), b"")
        self._config: dict[str, Any] = _json(self._raw, dict, name)

    def image(self) -> Image:
        """The image."""
        return Image(
            id=f"sha256:{hashlib.sha256(self._raw).hexdigest()}",
            config=self._settings(),
            history=self._history(),
            layers=self._layers(),
            found=tuple(self._found()),
        )

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = _part(self._config, "config", dict)
        for key, kind in _SHAPES.items():
            _part(settings, key, kind)
        return settings

    def _layers(self) -> tuple[Layer, ...]:
        diff_ids = _part(_part(self._config, "rootfs", dict), "diff_ids", list)
        missing = [name for name in self._names if name not in self._parts.layers]
        if missing or len(diff_ids) != len(self._names):
            raise unreadable(f"{len(diff_ids)} layers are named, {len(missing)} are missing")
        return tuple(
            replace(self._parts.layers[name], diff_id=str(diff_id))
            for name, diff_id in zip(self._names, diff_ids, strict=True)
        )

    def _history(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        number = 0
        for said in _part(self._config, "history", list):
            empty = not isinstance(said, dict) or bool(said.get("empty_layer"))
            layer = None if empty or number >= len(self._names) else number
            number += not empty
            text = str(said.get("created_by") or "") if isinstance(said, dict) else ""
            steps.append(Step(text, empty, layer))
        return tuple(steps)

    def _found(self) -> Iterable[Found]:
        canaries = self._parts.canaries
        for path, word in strings_in({k: v for k, v in self._config.items() if k != "history"}):
            yield from (Found(needle, "config", path) for needle in find_secrets([word], canaries))
        for number, step in enumerate(_part(self._config, "history", list)):
            words = [word for _, word in strings_in(step)]
            hits = {needle for word in words for needle in find_secrets([word], canaries)}
            yield from (Found(needle, "history", str(number)) for needle in sorted(hits))
        for number, name in enumerate(self._names):
            hits_there = self._parts.found.get(name, ())
            yield from (Found(needle, number, path) for needle, path in hits_there)


def _part(document: Mapping[str, Any], key: str, kind: type) -> Any:  # noqa: ANN401 - it is `kind`
    """A part of a document; an empty one where it is not there."""
    part = document.get(key) or kind()
    if not isinstance(part, kind):
        raise unreadable(f"{key} is no {kind.__name__}")
    return part


def _json(data: bytes | None, kind: type, name: str) -> Any:  # noqa: ANN401 - it is `kind`
    """A document of the image, which has to be a `kind`."""
    try:
        found = json.loads(data or b"")
    except (ValueError, RecursionError):
        raise unreadable(f"{name} is missing, or no JSON") from None
    if not isinstance(found, kind):
        raise unreadable(f"{name} is no {kind.__name__}")
    return found


def read_layer(
    stream: Readable, budget: Budget, search: Callable[[str, Iterable[bytes]], None] | None = None
) -> Layer:
    """The layer of an uncompressed tar; `search` sees each name and all content, by path.

    The layer's `diff_id` is empty: the image's config knows it.
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
            digest = _read_content(path, content, texts, search)
            entries.append(_entry(path, member, digest))
    size = sum(entry.size for entry in entries if entry.kind == "file")
    return Layer("", size, tuple(entries), tuple(whiteouts), tuple(opaques), texts)


def clean(name: str) -> str:
    """A path from the image's root, as the engine takes it: `..` does not leave the root."""
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
) -> str:
    """Keep the content of one file, or search it; its digest where it is small."""
    if content.left <= DIGEST_SIZE:
        data = content.read(content.left)
        if path in KEPT:
            texts[path] = data
        if search:
            search(path, [data])
        return hashlib.sha256(data).hexdigest()
    if search:
        search(path, content.chunks())
    return ""
