"""Determines the user of an image and its write permissions from the image's files.

Nothing in the image is executed: a program such as `id` could print anything.
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
    """Return the uid, gid and groups of `Config.User`, from `/etc/passwd` and `/etc/group`.

    `user` has a form that Docker accepts: empty, `name` or `uid`, the last two also with `:group`
    or `:gid`. Return None if the image has no such name.
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
    """Return the first account with this name or number; root exists even without a file."""
    for row in _rows(passwd, 4):
        if name in (row[0], row[2]) and _is_id(row[3]):
            return row[0], int(row[2]), int(row[3])
    return ("root", 0, 0) if name == "0" else None


def _rows(text: bytes, fields: int) -> Iterator[list[str]]:
    """Yield the rows of a file such as passwd that have a number in their third field."""
    for line in text.decode("utf-8", "replace").splitlines():
        row = line.strip().split(":")
        if len(row) >= fields and _is_id(row[2]):
            yield [*row, ""]


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(MAX_ID))


def resolve_path(tree: Mapping[str, Entry], path: str) -> list[str] | None:
    """Follow all links in `path`; return its folders, and its target as the last item.

    Return None if the path does not exist, or if its links form a loop.
    """
    resolved, links = [""], 0
    parts = [part for part in reversed(path.split("/")) if part]
    while parts:
        part = parts.pop()
        if part == ".":
            continue
        if part == "..":
            resolved = resolved[:-1] or [""]
            continue
        entry = tree.get(f"{resolved[-1]}/{part}".lstrip("/"))
        if entry is None:
            return None
        if entry.kind != "link":
            resolved.append(entry.path)
            continue
        links += 1
        if links > MAX_LINKS:
            return None
        resolved = [""] if entry.target.startswith("/") else resolved
        parts += [part for part in reversed(entry.target.split("/")) if part]
    return resolved


def writable(tree: Mapping[str, Entry], path: str, uid: int, gids: frozenset[int]) -> bool:
    """Whether a user may write to `path`, by mode bits and owners; root always may.

    False if the path does not exist. As in access(2), the user must be able to enter its folders.
    """
    if uid == 0:
        return True
    resolved = resolve_path(tree, path)
    if resolved is None:
        return False
    *folders, last = resolved
    return _allows(tree, last, 2, uid, gids) and all(
        _allows(tree, folder, 1, uid, gids) for folder in folders
    )


def _allows(tree: Mapping[str, Entry], path: str, bit: int, uid: int, gids: frozenset[int]) -> bool:
    """Whether a user has a permission (4 read, 2 write, 1 enter); the root folder is root's."""
    if not path:
        return bit != 2  # noqa: PLR2004 - the bit of the docstring
    entry = tree[path]
    if entry.uid == uid:
        return bool(entry.mode >> 6 & bit)
    return bool((entry.mode >> 3 if entry.gid in gids else entry.mode) & bit)


def writable_paths(
    tree: Mapping[str, Entry], under: str, uid: int, gids: frozenset[int]
) -> tuple[str, ...]:
    """List the paths in the folder `under`, and itself, that a user may write to, except links."""
    under = posixpath.normpath(f"/{under}").strip("/")
    inside = sorted(
        path
        for path, entry in tree.items()
        if entry.kind != "link" and (not under or f"{path}/".startswith(f"{under}/"))
    )
    return tuple(path for path in inside if writable(tree, path, uid, gids))
