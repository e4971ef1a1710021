"""The files of an image that have bytes, each counted once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.analysis.image.image import Image


class File(NamedTuple):
    """A file with its bytes and the number of the layer that stores it."""

    path: str
    size: int
    layer: int


def list_files(image: Image) -> Iterator[File]:
    """Yield the files that a container sees and that have bytes; a hard link counts once."""
    linked: set[str] = set()
    for path, entry in sorted(image.tree.items()):
        if entry.kind not in {"file", "hardlink"} or not entry.size:
            continue
        if entry.kind == "hardlink":
            target = image.tree.get(entry.target)
            is_there = target is not None and (target.kind, target.size) == ("file", entry.size)
            if is_there or entry.target in linked:
                continue
            linked.add(entry.target)
        yield File(path, entry.size, image.layer_of(path) or 0)
