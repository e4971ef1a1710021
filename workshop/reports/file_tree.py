"""The files of an image as a tree of folders with their bytes, small enough for a page."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from workshop.core.sanitise import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workshop.analysis.image.files import File

MAX_DEPTH = 10
# A path with a smaller part of all bytes is counted with its neighbours.
LEAST_SHARE = 1 / 1500
LONGEST_NAME = 60  # characters

Node = list["str | int | list[Node] | None"]


def build_tree(files: Sequence[File], colours: Mapping[int, int]) -> Node:
    """Return the folders and files as nested lists: name, bytes, colour, children.

    The children of a file are None. `colours` has the colour of each layer: that of a folder is
    the colour with the most bytes in it. Names are safe to show.
    """
    least = sum(file.size for file in files) * LEAST_SHARE
    sizes: Counter[str] = Counter()
    for file in files:
        for folder in _folders(file.path):
            sizes[folder] += file.size
    by_colour = {path: Counter[int]() for path, size in sizes.items() if size >= least}
    children: dict[str, list[Node]] = {path: [] for path in by_colour}
    for file in files:
        colour = colours.get(file.layer, 0)
        parents = [folder for folder in _folders(file.path) if folder in by_colour]
        for folder in parents:
            by_colour[folder][colour] += file.size
        if file.size >= least and file.path.count("/") < MAX_DEPTH:
            leaf: Node = [shorten(file.path.rpartition("/")[2]), file.size, colour, None]
            children[parents[-1]].append(leaf)
    # Each folder comes after those below it.
    for path in sorted(children, key=_depth, reverse=True):
        node: Node = [
            shorten(path.rpartition("/")[2]) if path else "/",
            sizes[path],
            _most(by_colour[path]),
            _complete(children[path], sizes[path], _most(by_colour[path])),
        ]
        if not path:
            return node
        children[path.rpartition("/")[0]].append(node)
    return ["/", 0, 0, []]


def _folders(path: str) -> Iterator[str]:
    """Yield the folders of a path from the root on, `MAX_DEPTH` of them at most."""
    yield ""
    at = -1
    for _ in range(MAX_DEPTH - 1):
        if (at := path.find("/", at + 1)) < 0:
            return
        yield path[:at]


def _depth(path: str) -> int:
    return path.count("/") + bool(path)


def _complete(children: list[Node], size: int, colour: int) -> list[Node]:
    """Return the children, the largest first, and a last one for the bytes of all others."""
    ordered = sorted(children, key=lambda node: (-_size(node), str(node[0])))
    rest = size - sum(map(_size, children))
    return [*ordered, ["smaller files", rest, colour, None]] if rest else ordered


def _size(node: Node) -> int:
    size = node[1]
    assert isinstance(size, int)  # noqa: S101 - as `Node` says
    return size


def _most(counter: Counter[int]) -> int:
    return counter.most_common(1)[0][0]


def shorten(name: str) -> str:
    """Return a safe name of at most `LONGEST_NAME` characters."""
    safe = plain(name) or "(unprintable)"
    return safe if len(safe) <= LONGEST_NAME else f"{safe[:LONGEST_NAME]}..."
