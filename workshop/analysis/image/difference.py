"""The difference of two images: the layers that they share, and the files that differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from workshop.analysis.image.files import list_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.analysis.image.image import Image
    from workshop.analysis.image.layers import Entry


class Kind(StrEnum):
    """How a path differs."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Change:
    """A path that only one of two images has, or that differs; None where it does not exist.

    `bytes` is how many bytes the path has more than before, fewer than 0 if it has less; of the
    hard links to one file, only one has bytes.
    """

    path: str
    before: Entry | None
    after: Entry | None
    bytes: int

    @property
    def kind(self) -> Kind:
        """Whether the path was added, removed or changed."""
        if self.before is None:
            return Kind.ADDED
        return Kind.REMOVED if self.after is None else Kind.CHANGED

    @property
    def aspects(self) -> tuple[str, ...]:
        """What differs of a changed path: `type`, `content`, `mode`, `owner`, `target`.

        `hard link` is a file that shares its bytes with another name in only one of the images.
        """
        if self.before is None or self.after is None:
            return ()
        found = tuple(_compare(self.before, self.after))
        return found or (("hard link",) if self.bytes else ("content",))


@dataclass(frozen=True)
class Difference:
    """What the second of two images has more, less and otherwise than the first.

    `shared` counts the first layers that both have. `changes` are sorted by path.
    """

    before: Image
    after: Image
    shared: int
    changes: tuple[Change, ...]

    def of_kind(self, kind: Kind) -> tuple[Change, ...]:
        """Return the changes of one kind."""
        return tuple(change for change in self.changes if change.kind is kind)


def compare(before: Image, after: Image) -> Difference:
    """Compare two images, by layer and by each path that a container sees.

    Both must have been read with the digests of all files: a file without one counts as changed
    unless it has the same size and comes from the same layer. Times, extended attributes and the
    numbers of devices are not compared.
    """
    return Difference(
        before, after, before.shared(after.diff_ids), tuple(_find_changes(before, after))
    )


def _find_changes(before: Image, after: Image) -> Iterator[Change]:
    sizes, new_sizes = ({f.path: f.size for f in list_files(i)} for i in (before, after))
    for path in sorted({*before.tree, *after.tree}):
        one, other = before.tree.get(path), after.tree.get(path)
        change = Change(path, one, other, new_sizes.get(path, 0) - sizes.get(path, 0))
        is_same = one and other and not change.bytes and not any(_compare(one, other))
        if not is_same or _may_differ(before, after, path):
            yield change


def _may_differ(before: Image, after: Image, path: str) -> bool:
    """Whether the content of an equally large file is unknown, and is not that of one layer."""
    entry = before.tree[path]
    is_unknown = bool(entry.size and not entry.digest)
    return is_unknown and _layer(before, path) != _layer(after, path)


def _layer(image: Image, path: str) -> str:
    layer = image.layer_of(path)
    return "" if layer is None else image.diff_ids[layer]


def _compare(one: Entry, other: Entry) -> Iterator[str]:
    """Yield each aspect in which two entries differ. A hard link is a file like its target."""
    kinds = [entry.kind.replace("hardlink", "file") for entry in (one, other)]
    if kinds[0] != kinds[1]:
        yield "type"
    elif (one.size, one.digest) != (other.size, other.digest):
        yield "content"
    if one.mode != other.mode and kinds != ["link", "link"]:
        yield "mode"
    if (one.uid, one.gid) != (other.uid, other.gid):
        yield "owner"
    if kinds == ["link", "link"] and one.target != other.target:
        yield "target"
