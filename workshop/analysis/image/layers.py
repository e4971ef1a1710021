"""The layers of an image, and the file system that results from stacking them.

Source: the OCI image specification, "Image Layer Filesystem Changeset".
"""

from __future__ import annotations

import posixpath
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from workshop.analysis.image.limits import Budget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The files whose content is kept: users, groups, and the distribution.
KEPT = ("etc/passwd", "etc/group", "etc/os-release", "usr/lib/os-release")
DIGEST_SIZE = 1_000_000
MAX_LINKS = 40  # as in Linux


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a layer, or of the tree.

    `path` is normalised and has no leading slash; `kind` is file, dir, link, hardlink, device or
    fifo; `size` is in bytes; `target` is a link's target as written (for a hard link: a `path`);
    `digest` is the SHA-256 of a file of at most `DIGEST_SIZE` bytes, else empty.
    In the tree, a hard link has the size and the digest of its target.
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
    """One layer: `size` is the total of its regular files in bytes, a hard link counted once.

    `whiteouts` are the paths that it deletes from lower layers, `opaques` the folders whose
    content in lower layers it hides; `texts` is the content of the files in `KEPT`.
    """

    diff_id: str
    size: int = 0
    entries: Sequence[Entry] = field(default=(), repr=False)
    whiteouts: tuple[str, ...] = ()
    opaques: tuple[str, ...] = ()
    texts: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Waste:
    """Bytes that layer number `stored_by` stores and layer number `killed_by` deletes."""

    bytes: int
    stored_by: int
    killed_by: int


@dataclass(frozen=True)
class Merged:
    """The stacked layers: the tree, the layer that each path comes from, and the waste.

    `live` is in bytes, a hard link counted once; `texts` is the content of the files in `KEPT`.
    """

    tree: Mapping[str, Entry]
    origin: Mapping[str, int]
    live: int
    wasted: tuple[Waste, ...]
    texts: Mapping[str, bytes]


@dataclass(slots=True)
class _Inode:
    """The content of a file with a hard link; `names` is the number of paths that share it."""

    entry: Entry
    layer: int
    names: int = 1


def merge(layers: Sequence[Layer], budget: Budget | None = None) -> Merged:
    """Stack the layers; `budget` limits the folders that no layer has an entry for."""
    tree = _Tree(budget or Budget())
    for number, layer in enumerate(layers):
        tree.apply(number, layer)
    return tree.merged(layers)


class _Tree:
    """A tree under construction: its entries, and the children of each folder."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._entries: dict[str, Entry] = {}
        self._origin: dict[str, int] = {}
        # Only of files with a hard link: an object for every file takes much memory.
        self._inodes: dict[str, _Inode] = {}
        self._children: dict[str, dict[str, None]] = {"": {}}
        self._wasted: Counter[tuple[int, int]] = Counter()

    def apply(self, number: int, layer: Layer) -> None:
        """Apply one more layer: first its deletions, then its entries."""
        for folder in layer.opaques:
            self._empty(folder, number)
        for path in layer.whiteouts:
            self._remove(path, number)
        for entry in layer.entries:
            self._put(entry, number)

    def merged(self, layers: Sequence[Layer]) -> Merged:
        """Return the current tree."""
        linked = {id(inode): inode.entry.size for inode in self._inodes.values()}
        single = sum(
            entry.size
            for path, entry in self._entries.items()
            if entry.kind == "file" and path not in self._inodes
        )
        wasted = (Waste(size, *numbers) for numbers, size in sorted(self._wasted.items()))
        texts = {
            path: layers[self._origin[path]].texts[path]
            for path in KEPT
            if path in self._origin and path in layers[self._origin[path]].texts
        }
        live = single + sum(linked.values())
        return Merged(self._entries, self._origin, live, tuple(wasted), texts)

    def _put(self, entry: Entry, number: int) -> None:
        if (path := self._follow_links(entry.path, number)) != entry.path:
            entry = replace(entry, path=path)
        existing = self._entries.get(entry.path)
        inode = self._share(entry.target) if entry.kind == "hardlink" else None
        if inode:
            entry = replace(entry, size=inode.entry.size, digest=inode.entry.digest)
            inode.names += 1
        if existing and not (existing.kind == entry.kind == "dir"):
            self._remove(entry.path, number)
        if not existing:
            self._make_parents(entry.path, number)
        if inode:
            self._inodes[entry.path] = inode
        elif entry.kind == "dir":
            self._children.setdefault(entry.path, {})
        self._set(entry, number)

    def _share(self, target: str) -> _Inode | None:
        """Return the content at the target of a hard link; None if there is no file."""
        entry = self._entries.get(target)
        if entry and entry.kind == "file" and target not in self._inodes:
            self._inodes[target] = _Inode(entry, self._origin[target])
        return self._inodes.get(target)

    def _follow_links(self, path: str, number: int) -> str:
        """Return where Docker puts `path`: it follows links of the same layer only."""
        for _ in range(MAX_LINKS):
            link = path
            while (link := link.rpartition("/")[0]) not in self._children:
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
        self._children[entry.path.rpartition("/")[0]][entry.path] = None

    def _make_parents(self, path: str, number: int) -> None:
        """Create the parents of `path` that no layer has an entry for, as Docker does."""
        missing = []
        while (path := path.rpartition("/")[0]) not in self._children:
            missing.append(path)
        for folder in reversed(missing):
            self._budget.spend(folder)
            self._remove(folder, number)
            self._children[folder] = {}
            self._set(Entry(folder, "dir"), number)

    def _empty(self, folder: str, number: int) -> None:
        for path in list(self._children.get(folder, ())):
            self._remove(path, number)

    def _remove(self, path: str, number: int) -> None:
        """Remove `path` and everything below it, on behalf of layer `number`."""
        if path not in self._entries:
            return
        self._children[path.rpartition("/")[0]].pop(path)
        paths = [path]
        while paths:
            path = paths.pop()
            paths += self._children.pop(path, ())
            entry, layer = self._entries.pop(path), self._origin.pop(path)
            if inode := self._inodes.pop(path, None):
                self._drop(inode, number)
            elif entry.kind == "file" and entry.size:
                self._wasted[layer, number] += entry.size

    def _drop(self, inode: _Inode, number: int) -> None:
        inode.names -= 1
        if not inode.names and inode.entry.size:
            self._wasted[inode.layer, number] += inode.entry.size
