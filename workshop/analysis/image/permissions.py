"""Who an image's user is, and what that user may write: from its files alone.

Nothing of the image is asked: its own `id` could say whatever its author likes.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from workshop.analysis.image.layers import MAX_LINKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workshop.analysis.image.layers import Entry

MAX_ID = 2**31 - 1

Identity = tuple[int, int, frozenset[int]]


def identity(user: str, passwd: bytes, group: bytes) -> Identity | None:
    """The uid, gid and other groups of `Config.User`, from the image's two files.

    Takes what the engine takes: nothing, `name`, `uid`, and either with `:group` or `:gid`.
    None where the image has no such name.
    """
    name, _, group_name = user.partition(":")
    known = _account(name or "0", passwd)
    if known is None and not _is_id(name):
        return None
    login, uid, gid = known or ("", int(name), 0)
    groups = list(_rows(group, 3))
    if not group_name:
        others = {int(row[2]) for row in groups if login and login in row[3:4][0].split(",")}
        return uid, gid, frozenset({gid} | others)
    named = [int(row[2]) for row in groups if group_name in (row[0], row[2])]
    if not named and not _is_id(group_name):
        return None
    gid = named[0] if named else int(group_name)
    return uid, gid, frozenset({gid})


def _account(name: str, passwd: bytes) -> tuple[str, int, int] | None:
    """The first account of that name or number; root is there even where no file says so."""
    for row in _rows(passwd, 4):
        if name in (row[0], row[2]) and _is_id(row[3]):
            return row[0], int(row[2]), int(row[3])
    return ("root", 0, 0) if name == "0" else None


def _rows(text: bytes, fields: int) -> Iterator[list[str]]:
    """The rows of a file such as passwd that have a number in their third field."""
    for line in text.decode("utf-8", "replace").splitlines():
        row = line.strip().split(":")
        if len(row) >= fields and _is_id(row[2]):
            yield [*row, ""]


def _is_id(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= len(str(MAX_ID))


def resolved(tree: Mapping[str, Entry], path: str) -> list[str] | None:
    """The folders on the way to `path`, and last where it leads, all links followed in the image.

    None where there is nothing, or where links lead round in a circle.
    """
    way, links = [""], 0
    left = [part for part in reversed(path.split("/")) if part]
    while left:
        part = left.pop()
        if part == "..":
            way = way[:-1] or [""]
            continue
        there = tree.get(f"{way[-1]}/{part}".lstrip("/")) if part != "." else None
        if part == ".":
            continue
        if there is None:
            return None
        if there.kind != "link":
            way.append(there.path)
            continue
        links += 1
        if links > MAX_LINKS:
            return None
        way = [""] if there.target.startswith("/") else way
        left += [step for step in reversed(there.target.split("/")) if step]
    return way


def writable(tree: Mapping[str, Entry], path: str, uid: int, gids: frozenset[int]) -> bool:
    """Whether that user may write to what is at `path`, by mode bits and owners; root may.

    False where nothing is. As for access(2), the folders on the way have to be passable.
    """
    if uid == 0:
        return True
    way = resolved(tree, path)
    if way is None:
        return False
    *folders, last = way
    return _allows(tree, last, 2, uid, gids) and all(
        _allows(tree, folder, 1, uid, gids) for folder in folders
    )


def _allows(tree: Mapping[str, Entry], path: str, bit: int, uid: int, gids: frozenset[int]) -> bool:
    """Whether the mode gives that user `bit` (4 read, 2 write, 1 pass); the root is root's."""
    if not path:
        return bit != 2  # noqa: PLR2004 - the bit of the docstring
    entry = tree[path]
    if entry.uid == uid:
        return bool(entry.mode >> 6 & bit)
    return bool((entry.mode >> 3 if entry.gid in gids else entry.mode) & bit)


def writable_paths(
    tree: Mapping[str, Entry], under: str, uid: int, gids: frozenset[int]
) -> tuple[str, ...]:
    """All in and below the folder `under` that this user may write to, links left out; sorted."""
    under = posixpath.normpath(f"/{under}").strip("/")
    inside = sorted(
        path
        for path, entry in tree.items()
        if entry.kind != "link" and (not under or f"{path}/".startswith(f"{under}/"))
    )
    return tuple(path for path in inside if writable(tree, path, uid, gids))
