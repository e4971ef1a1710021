"""The layers of an image, and the tree that they make one over the other.

The rules are those of the OCI image specification, "Image Layer Filesystem Changeset".
"""

from __future__ import annotations

import posixpath
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from workshop.analysis.image.limits import Budget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The files whose content is kept: who is who in the image, and what it says it is.
KEPT = ("etc/passwd", "etc/group", "etc/os-release", "usr/lib/os-release")
DIGEST_SIZE = 1_000_000
MAX_LINKS = 40  # as Linux follows


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a layer, or of the tree.

    `path` is normalised and has no leading slash; `kind` is one of file, dir, link, hardlink,
    device and fifo; `size` is in bytes; `target` is where a link points, as written (for a hard
    link: a `path`); `digest` is the SHA-256 of a file of at most `DIGEST_SIZE` bytes, else empty.
    In the tree, a hard link has the size and the digest of the file that it shares.
    """

    path: str
    kind: str
    size: int = 0
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    target: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Layer:
    """One layer: `size` is the sum of its regular files in bytes, a hard link counted once.

    `whiteouts` are the paths that it deletes from the layers below, `opaques` the folders of
    which it hides all that those have; `texts` is the content of the files of `KEPT`.
    """

    diff_id: str
    size: int = 0
    entries: Sequence[Entry] = field(default=(), repr=False)
    whiteouts: tuple[str, ...] = ()
    opaques: tuple[str, ...] = ()
    texts: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Waste:
    """Bytes that layer number `stored_by` has, and that layer number `killed_by` took away."""

    bytes: int
    stored_by: int
    killed_by: int


@dataclass(frozen=True)
class Merged:
    """All layers over one another: what is there, from which layer, and what no longer is.

    `live` is in bytes, a hard link counted once; `texts` is the content of the files of `KEPT`.
    """

    tree: Mapping[str, Entry]
    origin: Mapping[str, int]
    live: int
    wasted: tuple[Waste, ...]
    texts: Mapping[str, bytes]


@dataclass
class _Inode:
    """The bytes of one file; `names` is how many paths lead to them."""

    entry: Entry
    layer: int
    names: int = 0


def merge(layers: Sequence[Layer], budget: Budget | None = None) -> Merged:
    """Put the layers one over the other; `budget` pays for folders that no layer names."""
    tree = _Tree(budget or Budget())
    for number, layer in enumerate(layers):
        tree.apply(number, layer)
    return tree.merged(layers)


class _Tree:
    """A tree under construction: what is there, and what is below each folder."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._entries: dict[str, Entry] = {}
        self._origin: dict[str, int] = {}
        self._inodes: dict[str, _Inode] = {}
        self._below: dict[str, dict[str, None]] = {"": {}}
        self._wasted: Counter[tuple[int, int]] = Counter()

    def apply(self, number: int, layer: Layer) -> None:
        """Put one more layer over the tree: what it deletes, it deletes from those below."""
        for folder in layer.opaques:
            self._empty(folder, number)
        for path in layer.whiteouts:
            self._remove(path, number)
        for entry in layer.entries:
            self._put(entry, number)

    def merged(self, layers: Sequence[Layer]) -> Merged:
        """The tree as it is now."""
        live = {id(inode): inode.entry.size for inode in self._inodes.values()}
        wasted = (Waste(size, *numbers) for numbers, size in sorted(self._wasted.items()))
        texts = {
            path: layers[self._origin[path]].texts[path]
            for path in KEPT
            if path in self._origin and path in layers[self._origin[path]].texts
        }
        return Merged(self._entries, self._origin, sum(live.values()), tuple(wasted), texts)

    def _put(self, entry: Entry, number: int) -> None:
        if (placed := self._placed(entry.path, number)) != entry.path:
            entry = replace(entry, path=placed)
        there = self._entries.get(entry.path)
        inode = _Inode(entry, number)
        if entry.kind == "hardlink":
            inode = self._inodes.get(entry.target, inode)
            shared = inode.entry
            entry = replace(entry, size=shared.size, digest=shared.digest)
        inode.names += 1
        if there and not (there.kind == entry.kind == "dir"):
            self._remove(entry.path, number)
        if not there:
            self._make_parents(entry.path, number)
        if entry.kind in {"file", "hardlink"}:
            self._inodes[entry.path] = inode
        elif entry.kind == "dir":
            self._below.setdefault(entry.path, {})
        self._set(entry, number)

    def _placed(self, path: str, number: int) -> str:
        """Where the engine puts `path`: it follows the links of the same layer, and no others."""
        for _ in range(MAX_LINKS):
            link = path
            while (link := link.rpartition("/")[0]) not in self._below:
                if self._origin.get(link) == number and self._entries[link].kind == "link":
                    break
            else:
                return path
            target = posixpath.join(posixpath.dirname(link), self._entries[link].target)
            path = posixpath.normpath(f"/{target}/{path.removeprefix(link)}").lstrip("/")
        return path

    def _set(self, entry: Entry, number: int) -> None:
        self._entries[entry.path] = entry
        self._origin[entry.path] = number
        self._below[entry.path.rpartition("/")[0]][entry.path] = None

    def _make_parents(self, path: str, number: int) -> None:
        """Make the folders above `path` that no layer has named, as the engine does."""
        missing = []
        while (path := path.rpartition("/")[0]) not in self._below:
            missing.append(path)
        for folder in reversed(missing):
            self._budget.spend(folder)
            self._remove(folder, number)
            self._below[folder] = {}
            self._set(Entry(folder, "dir"), number)

    def _empty(self, folder: str, number: int) -> None:
        for path in list(self._below.get(folder, ())):
            self._remove(path, number)

    def _remove(self, path: str, number: int) -> None:
        """Take away `path` and all below it; layer `number` is to blame."""
        if path not in self._entries:
            return
        self._below[path.rpartition("/")[0]].pop(path)
        left = [path]
        while left:
            path = left.pop()
            left += self._below.pop(path, ())
            del self._entries[path], self._origin[path]
            if inode := self._inodes.pop(path, None):
                self._drop(inode, number)

    def _drop(self, inode: _Inode, number: int) -> None:
        inode.names -= 1
        if not inode.names and inode.entry.size:
            self._wasted[inode.layer, number] += inode.entry.size
