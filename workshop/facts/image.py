"""An image taken apart, from the stream of `docker save`: nothing of it ever runs."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
import tarfile
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any

from workshop.facts import access
from workshop.facts.archive import (
    Budget,
    Readable,
    Unread,
    decompressed,
    exactly,
    is_tar,
    members,
    unreadable,
)
from workshop.facts.layers import Entry, Layer, Merged, Waste, merge, read_layer
from workshop.facts.needles import Found, needles_in, words_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from workshop.facts.archive import Section

MAX_PARTS = 5000  # an image has at most 127 layers; the legacy layout three files for each
MAX_DOCUMENT = 4_000_000  # bytes of a config or a manifest
MAX_DOCUMENTS = 64_000_000  # bytes of all of them

_HEAD = 512
_BLOBS = "blobs/sha256/"
_DISTRIBUTION = re.compile(
    r"(?:.*/)?(?:site|dist)-packages/([^/]+?)(?:-([^-/]+))?(?:-py[^/]*)?\.(?:dist|egg)-info"
)


@dataclass(frozen=True)
class Step:
    """One instruction of the image's history; `layer` is the number of the layer it made."""

    created_by: str
    empty: bool
    layer: int | None


@dataclass(frozen=True)
class Image:
    """An image's facts: what its config says, and what its layers hold.

    `id` is the digest of the config, as `docker images` has it; `config` is the `config` part.
    """

    id: str
    config: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Step, ...] = ()
    layers: tuple[Layer, ...] = ()
    found: tuple[Found, ...] = ()

    @property
    def diff_ids(self) -> tuple[str, ...]:
        """The digest of each layer's uncompressed tar."""
        return tuple(layer.diff_id for layer in self.layers)

    @property
    def user(self) -> str:
        """What USER says; empty is root."""
        return str(self.config.get("User") or "")

    @property
    def env(self) -> dict[str, str]:
        """The environment that a container gets."""
        return dict(str(item).partition("=")[::2] for item in self.config.get("Env") or ())

    @property
    def cmd(self) -> tuple[str, ...]:
        """What CMD says, as the engine executes it."""
        return tuple(self.config.get("Cmd") or ())

    @property
    def entrypoint(self) -> tuple[str, ...]:
        """What ENTRYPOINT says, as the engine executes it."""
        return tuple(self.config.get("Entrypoint") or ())

    @property
    def workdir(self) -> str:
        """The folder in which a container starts."""
        return str(self.config.get("WorkingDir") or "/")

    @property
    def ports(self) -> frozenset[str]:
        """What EXPOSE names, as `8000/tcp`."""
        return frozenset(self.config.get("ExposedPorts") or ())

    @property
    def volumes(self) -> frozenset[str]:
        """The folders that VOLUME names."""
        return frozenset(self.config.get("Volumes") or ())

    @property
    def healthcheck(self) -> Mapping[str, Any]:
        """What HEALTHCHECK says: `Test`, and times in nanoseconds; empty without one."""
        return self.config.get("Healthcheck") or {}

    @property
    def labels(self) -> dict[str, str]:
        """The labels, those of the base image among them."""
        return dict(self.config.get("Labels") or {})

    @property
    def stopsignal(self) -> str:
        """What STOPSIGNAL says; empty is SIGTERM."""
        return str(self.config.get("StopSignal") or "")

    @cached_property
    def merged(self) -> Merged:
        """All layers over one another."""
        return merge(self.layers)

    @property
    def tree(self) -> Mapping[str, Entry]:
        """What a container sees, by path."""
        return self.merged.tree

    def layer_of(self, path: str) -> int | None:
        """The number of the layer that `path` comes from; None where there is no such path."""
        return self.merged.origin.get(path)

    @property
    def stored(self) -> int:
        """The bytes of all files of all layers, a hard link counted once."""
        return sum(layer.size for layer in self.layers)

    @property
    def live(self) -> int:
        """The bytes of all files that a container sees, a hard link counted once."""
        return self.merged.live

    @property
    def waste(self) -> int:
        """The bytes that are stored, and that no container sees."""
        return self.stored - self.live

    def wasted_by(self) -> tuple[Waste, ...]:
        """All of the waste: which layer stored it, and which took it away."""
        return self.merged.wasted

    def shared(self, base: Sequence[str]) -> int:
        """How many of the first layers are those of a base image, given by its diff IDs."""
        pairs = zip(self.diff_ids, base, strict=False)
        return next(
            (number for number, (ours, theirs) in enumerate(pairs) if ours != theirs),
            min(len(self.layers), len(base)),
        )

    def above(self, base: Sequence[str]) -> tuple[int, ...]:
        """The numbers of the layers that are the learner's own: those after the shared ones."""
        return tuple(range(self.shared(base), len(self.layers)))

    def text(self, path: str) -> bytes:
        """The content of one of the files that are kept (`KEPT`); empty where it is not there."""
        number = self.layer_of(path)
        return b"" if number is None else self.layers[number].texts.get(path, b"")

    def identity(self, user: str | None = None) -> access.Identity | None:
        """The uid, gid and all groups of `user`, or else of USER; None of an unknown name."""
        name = self.user if user is None else user
        return access.identity(name, self.text("etc/passwd"), self.text("etc/group"))

    def writable(self, path: str, uid: int, gids: Iterable[int] = ()) -> bool:
        """Whether that user may write to what is at `path`; root always may."""
        return access.writable(self.tree, path, uid, frozenset(gids))

    def writable_paths(
        self, uid: int, gids: Iterable[int] = (), under: str = "etc"
    ) -> tuple[str, ...]:
        """All in and below a folder that this user may write to, links left out; sorted."""
        return access.writable_paths(self.tree, under, uid, frozenset(gids))

    def packages(self) -> dict[str, set[tuple[str, str, str]]]:
        """The installed Python distributions, by name (normalised as in PEP 503).

        Each is its name as written, its version (empty where the folder has none) and its path.
        """
        found: dict[str, set[tuple[str, str, str]]] = {}
        for path in self.tree:
            if path.endswith("-info") and (match := _DISTRIBUTION.fullmatch(path)):
                name, version = match[1], match[2] or ""
                key = re.sub(r"[-_.]+", "-", name).lower()
                found.setdefault(key, set()).add((name, version, path))
        return found

    def find(self, pattern: str) -> tuple[str, ...]:
        """All paths that fit, sorted: `*` and `?` stand within a name, `**` for any folders."""
        fits = re.compile(_expression(pattern.lstrip("/")), re.DOTALL).fullmatch
        return tuple(sorted(path for path in self.tree if fits(path)))


def _expression(pattern: str) -> str:
    signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    words = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return "".join(signs.get(word) or re.escape(word) for word in words)


def read(
    stream: IO[bytes],
    needles: Sequence[bytes] = (),
    known: Callable[[str], Layer | None] = lambda _: None,
) -> Image:
    """Take apart the one image that `docker save` writes; a `Trouble` where that cannot be.

    `known` gives the facts of a layer by its diff ID, and its content is passed by; but not
    where there are `needles`, each of which is searched in the config, the history and every
    layer, deleted files included: `found` says where they are.
    """
    parts = _Parts(tuple(filter(None, needles)), known)
    for member, content in members(stream, Budget(entries=MAX_PARTS)):
        name = posixpath.normpath(member.name)
        if member.type == tarfile.SYMTYPE:
            folder = posixpath.dirname(name)
            parts.links[name] = posixpath.normpath(posixpath.join(folder, member.link))
        elif content.left:
            parts.take(name, content)
    image = _Assembly(parts).image()
    _ = image.merged  # what is wrong with the tree is known now or never
    return image


@dataclass
class _Parts:
    """What the stream holds, by name, in whatever order it comes."""

    needles: tuple[bytes, ...]
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
        if not self.needles and name.startswith(_BLOBS) and (layer := self.known(digest)):
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
            found.update(dict.fromkeys((n, path) for n in needles_in(pieces, self.needles)))

        self.layers[name] = read_layer(stream, self.budget, search if self.needles else None)
        self.found[name] = list(found)


class _Assembly:
    """The parts put together as the manifest says."""

    def __init__(self, parts: _Parts) -> None:
        manifest = _json(parts.documents.get("manifest.json"), list, "manifest.json")
        if len(manifest) != 1 or not isinstance(manifest[0], dict):
            raise unreadable(f"manifest.json names {len(manifest)} images, not 1")
        self._parts = parts
        self._names = [parts.real(str(name)) for name in manifest[0].get("Layers") or ()]
        name = str(manifest[0].get("Config"))
        self._raw = parts.documents.get(parts.real(name), b"")
        self._config: dict[str, Any] = _json(self._raw, dict, name)

    def image(self) -> Image:
        """The image."""
        return Image(
            id=f"sha256:{hashlib.sha256(self._raw).hexdigest()}",
            config=self._part("config", dict),
            history=self._history(),
            layers=self._layers(),
            found=tuple(self._found()),
        )

    def _part(self, key: str, kind: type) -> Any:  # noqa: ANN401 - it is `kind`
        """A part of the config; an empty one where it is not there."""
        part = self._config.get(key) or kind()
        if not isinstance(part, kind):
            raise unreadable(f"the config's {key} is no {kind.__name__}")
        return part

    def _layers(self) -> tuple[Layer, ...]:
        diff_ids = self._part("rootfs", dict).get("diff_ids") or []
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
        for said in self._part("history", list):
            empty = not isinstance(said, dict) or bool(said.get("empty_layer"))
            layer = None if empty or number >= len(self._names) else number
            number += not empty
            text = str(said.get("created_by") or "") if isinstance(said, dict) else ""
            steps.append(Step(text, empty, layer))
        return tuple(steps)

    def _found(self) -> Iterable[Found]:
        needles = self._parts.needles
        for path, word in words_in({k: v for k, v in self._config.items() if k != "history"}):
            yield from (Found(needle, "config", path) for needle in needles_in([word], needles))
        for number, step in enumerate(self._part("history", list)):
            words = [word for _, word in words_in(step)]
            hits = {needle for word in words for needle in needles_in([word], needles)}
            yield from (Found(needle, "history", str(number)) for needle in sorted(hits))
        for number, name in enumerate(self._names):
            hits_there = self._parts.found.get(name, ())
            yield from (Found(needle, number, path) for needle, path in hits_there)


def _json(data: bytes | None, kind: type, name: str) -> Any:  # noqa: ANN401 - it is `kind`
    """A document of the image, which has to be a `kind`."""
    try:
        found = json.loads(data or b"")
    except (ValueError, RecursionError):
        raise unreadable(f"{name} is missing, or no JSON") from None
    if not isinstance(found, kind):
        raise unreadable(f"{name} is no {kind.__name__}")
    return found
