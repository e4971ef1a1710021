"""Facts of images, kept from one run to the next: an image never changes under its id.

Each file has three lines: its version and the digest of the rest, the small facts, and the long
list of paths, which is decoded only when somebody asks. Whatever is not so is a miss.
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

MAX_STORE = 200_000_000  # bytes of all files together

# What the facts depend on: another source, other facts.
_SOURCES = (
    "tar_stream.py",
    "limits.py",
    "image.py",
    "layers.py",
    "docker_save.py",
    "store.py",
)
_DAMAGE = (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError)


class Store:
    """The facts of images and layers below a folder, at most `MAX_STORE` bytes of them.

    What was found of a search is no fact of an image: it is not kept, and nothing kept has it.
    """

    def __init__(self, folder: Path) -> None:
        """`folder` is made when there is something to keep."""
        self._folder = folder

    def image(self, name: str) -> Image | None:
        """The facts that were kept under `name`; None where there are none, or damaged ones."""
        with contextlib.suppress(*_DAMAGE):
            return self._image(name)
        return None

    def layer(self, diff_id: str) -> Layer | None:
        """The facts of a layer; None where there are none, or damaged ones."""
        with contextlib.suppress(*_DAMAGE):
            return self._layer(diff_id)
        return None

    def keep(self, image: Image, name: str = "") -> None:
        """Keep an image's facts under its id, or under the `name` by which they will be asked for.

        A folder that cannot be written to keeps nothing.
        """
        with contextlib.suppress(OSError):
            for layer in image.layers:
                if self.layer(layer.diff_id) is None:
                    self._write(layer.diff_id, _said(layer), [_row(e) for e in layer.entries])
            tree = [[*_row(entry), image.layer_of(path)] for path, entry in image.tree.items()]
            self._write(name or image.id, _head(image), tree)
            self._trim()

    def _image(self, name: str) -> Image:
        head, rows = self._read(name)
        said = json.loads(head)
        tree = Later(lambda: {row[0]: Entry(*row[:-1]) for row in json.loads(rows)})
        origin = Later(lambda: {row[0]: row[-1] for row in json.loads(rows)})
        wasted = tuple(Waste(*waste) for waste in said["wasted"])
        merged = Merged(tree, origin, said["live"], wasted, _bytes(said["texts"]))
        return Image(
            id=said["id"],
            config=said["config"],
            history=tuple(Step(*step) for step in said["history"]),
            layers=tuple(self._layer(diff_id) for diff_id in said["diff_ids"]),
            merger=lambda _: merged,
        )

    def _layer(self, diff_id: str) -> Layer:
        head, rows = self._read(diff_id)
        said = json.loads(head)
        return Layer(
            diff_id=said["diff_id"],
            size=said["size"],
            entries=Entries(lambda: [Entry(*row) for row in json.loads(rows)]),
            whiteouts=tuple(said["whiteouts"]),
            opaques=tuple(said["opaques"]),
            texts=_bytes(said["texts"]),
        )

    def _path(self, name: str) -> Path:
        # A name comes from the image: no part of it may become a part of a path.
        return self._folder / f"{hashlib.sha256(name.encode()).hexdigest()}.json"

    @cached_property
    def _version(self) -> str:
        here = Path(__file__).parent
        return hashlib.sha256(b"".join((here / n).read_bytes() for n in _SOURCES)).hexdigest()

    def _read(self, name: str) -> tuple[bytes, bytes]:
        path = self._path(name)
        stamp, _, rest = path.read_bytes().partition(b"\n")
        if json.loads(stamp) != [self._version, hashlib.sha256(rest).hexdigest()]:
            raise ValueError(name)
        with contextlib.suppress(OSError):
            os.utime(path)  # the longest unused is the first to go
        head, _, rows = rest.partition(b"\n")
        return head, rows

    def _write(self, name: str, head: Mapping[str, Any], rows: list[list[Any]]) -> None:
        rest = b"\n".join(json.dumps(p, separators=(",", ":")).encode() for p in (head, rows))
        stamp = json.dumps([self._version, hashlib.sha256(rest).hexdigest()]).encode()
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(stamp + b"\n" + rest)
            Path(draft).replace(self._path(name))
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise

    def _trim(self) -> None:
        """Remove the files whose last use is the longest ago, until the rest is small enough."""
        files = [(path.stat(), path) for path in self._folder.iterdir()]
        size = sum(stat.st_size for stat, _ in files)
        for stat, path in sorted(files, key=lambda file: file[0].st_mtime_ns):
            if size <= MAX_STORE:
                return
            path.unlink(missing_ok=True)
            size -= stat.st_size


class Later(Mapping[str, V]):
    """A mapping that is worked out when somebody asks."""

    def __init__(self, load: Callable[[], Mapping[str, V]]) -> None:
        """`load` is called once, or never."""
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


class Entries(Sequence[Entry]):
    """The entries of a layer, worked out when somebody asks."""

    def __init__(self, load: Callable[[], Sequence[Entry]]) -> None:
        """`load` is called once, or never."""
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


def _head(image: Image) -> dict[str, Any]:
    return {
        "id": image.id,
        "config": image.config,
        "history": [[step.created_by, step.empty, step.layer] for step in image.history],
        "diff_ids": image.diff_ids,
        "live": image.live,
        "wasted": [[w.bytes, w.stored_by, w.killed_by] for w in image.wasted_by()],
        "texts": _strings(image.merged.texts),
    }


def _said(layer: Layer) -> dict[str, Any]:
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
