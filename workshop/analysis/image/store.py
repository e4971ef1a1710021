"""Caches the facts of images on the disk: an image with a given id never changes.

Each file has three lines: the version with the digest of the rest, the short facts, and the long
list of paths, which is decoded on first use. Any other content is a cache miss.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from workshop.analysis.image.image import Image, Step
from workshop.analysis.image.layers import Entry, Layer, Merged, Waste

if TYPE_CHECKING:
    from collections.abc import Callable

V = TypeVar("V")

MAX_STORE = 200_000_000  # bytes of all files

# The facts depend on this code: a change to it invalidates the cache.
_SOURCES = (
    "tar_stream.py",
    "limits.py",
    "image.py",
    "layers.py",
    "docker_save.py",
    "documents.py",
    "oci_index.py",
    "store.py",
)
_DAMAGE = (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError)


class Store:
    """The facts of images and layers in a folder, `MAX_STORE` bytes at most.

    The results of a search for secrets are not stored.
    """

    def __init__(self, folder: Path) -> None:
        """`folder` is created on first use."""
        self._folder = folder

    def image(self, name: str) -> Image | None:
        """Return the image stored under `name`; None if it is missing or damaged."""
        with contextlib.suppress(*_DAMAGE):
            return self._image(name)
        return None

    def layer(self, diff_id: str) -> Layer | None:
        """Return a layer; None if it is missing or damaged."""
        with contextlib.suppress(*_DAMAGE):
            return self._layer(diff_id)
        return None

    def save(self, image: Image, name: str = "") -> None:
        """Store an image under its id, or under `name`; without write access, do nothing."""
        with contextlib.suppress(OSError):
            for layer in image.layers:
                if self.layer(layer.diff_id) is None:
                    self._write(layer.diff_id, _layer_head(layer), [_row(e) for e in layer.entries])
            tree = [[*_row(entry), image.layer_of(path)] for path, entry in image.tree.items()]
            self._write(name or image.id, _image_head(image), tree)
            self._trim()

    def _image(self, name: str) -> Image:
        line, rows = self._read(name)
        head = json.loads(line)
        tree = LazyMapping(lambda: {row[0]: Entry(*row[:-1]) for row in json.loads(rows)})
        origin = LazyMapping(lambda: {row[0]: row[-1] for row in json.loads(rows)})
        wasted = tuple(Waste(*waste) for waste in head["wasted"])
        merged = Merged(tree, origin, head["live"], wasted, _bytes(head["texts"]))
        return Image(
            id=head["id"],
            config=head["config"],
            history=tuple(Step(*step) for step in head["history"]),
            layers=tuple(self._layer(diff_id) for diff_id in head["diff_ids"]),
            merger=lambda _: merged,
        )

    def _layer(self, diff_id: str) -> Layer:
        line, rows = self._read(diff_id)
        head = json.loads(line)
        return Layer(
            diff_id=head["diff_id"],
            size=head["size"],
            entries=LazyEntries(lambda: [Entry(*row) for row in json.loads(rows)]),
            whiteouts=tuple(head["whiteouts"]),
            opaques=tuple(head["opaques"]),
            texts=_bytes(head["texts"]),
        )

    def _path(self, name: str) -> Path:
        # The name comes from the image, so it must not be used in a path.
        return self._folder / f"{hashlib.sha256(name.encode()).hexdigest()}.json"

    @cached_property
    def _version(self) -> str:
        here = Path(__file__).parent
        return hashlib.sha256(b"".join((here / n).read_bytes() for n in _SOURCES)).hexdigest()

    def _read(self, name: str) -> tuple[bytes, bytes]:
        path = self._path(name)
        header, _, rest = path.read_bytes().partition(b"\n")
        if json.loads(header) != [self._version, hashlib.sha256(rest).hexdigest()]:
            raise ValueError(name)
        with contextlib.suppress(OSError):
            os.utime(path)  # the least recently used file is removed first
        head, _, rows = rest.partition(b"\n")
        return head, rows

    def _write(self, name: str, head: Mapping[str, Any], rows: list[list[Any]]) -> None:
        rest = b"\n".join(json.dumps(p, separators=(",", ":")).encode() for p in (head, rows))
        header = json.dumps([self._version, hashlib.sha256(rest).hexdigest()]).encode()
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(header + b"\n" + rest)
            Path(draft).replace(self._path(name))
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise

    def _trim(self) -> None:
        """Remove the least recently used files until the rest is small enough."""
        files = [(path.stat(), path) for path in self._folder.iterdir()]
        size = sum(stat.st_size for stat, _ in files)
        for stat, path in sorted(files, key=lambda file: file[0].st_mtime_ns):
            if size <= MAX_STORE:
                return
            path.unlink(missing_ok=True)
            size -= stat.st_size


class LazyMapping(Mapping[str, V]):
    """A mapping that is loaded on first use."""

    def __init__(self, load: Callable[[], Mapping[str, V]]) -> None:
        """`load` is called once at most."""
        self._load = load

    @cached_property
    def _all(self) -> Mapping[str, V]:
        return self._load()

    def __getitem__(self, key: str) -> V:
        return self._all[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


class LazyEntries(Sequence[Entry]):
    """A sequence of entries that is loaded on first use."""

    def __init__(self, load: Callable[[], Sequence[Entry]]) -> None:
        """`load` is called once at most."""
        self._load = load

    @cached_property
    def _all(self) -> Sequence[Entry]:
        return self._load()

    @overload
    def __getitem__(self, index: int) -> Entry: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...

    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        return self._all[index]

    def __len__(self) -> int:
        return len(self._all)


def _image_head(image: Image) -> dict[str, Any]:
    return {
        "id": image.id,
        "config": image.config,
        "history": [[step.created_by, step.empty, step.layer] for step in image.history],
        "diff_ids": image.diff_ids,
        "live": image.live,
        "wasted": [[w.bytes, w.stored_by, w.killed_by] for w in image.wasted_by()],
        "texts": _strings(image.merged.texts),
    }


def _layer_head(layer: Layer) -> dict[str, Any]:
    return {
        "diff_id": layer.diff_id,
        "size": layer.size,
        "whiteouts": layer.whiteouts,
        "opaques": layer.opaques,
        "texts": _strings(layer.texts),
    }


def _row(e: Entry) -> list[Any]:
    return [e.path, e.kind, e.size, e.mode, e.uid, e.gid, e.target, e.digest]


def _strings(texts: Mapping[str, bytes]) -> dict[str, str]:
    return {path: text.decode("latin-1") for path, text in texts.items()}


def _bytes(texts: Mapping[str, str]) -> dict[str, bytes]:
    return {path: text.encode("latin-1") for path, text in texts.items()}
