"""Which builds of strangers may share the cache mounts and the results of their steps.

BuildKit reuses the result of a step with a cache mount, whatever is in the mount: another learner's
could have been prepared to change the result. So builds share one only if everything is the same up
to the last such step: the files of the context, and the text of the Dockerfile. What comes after it
cannot write into the mount.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from workshop.core.files import open_file
from workshop.core.paths import walk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workshop.analysis.dockerfile.instructions import Instruction
    from workshop.analysis.dockerfile.parser import Dockerfile

_DIGITS = 16


class CacheScope(NamedTuple):
    """The id of the builds that may share their caches, and whether this build has any.

    An empty id is that of one's own work, which shares them with itself.
    """

    id: str = ""
    is_used: bool = False


def find(context: Path, name: str, parsed: Dockerfile) -> CacheScope:
    """Return the scope of a build of a context whose Dockerfile has this name."""
    ends = [step.end for step in _steps(parsed) if _mounts_cache(step)]
    lines = _read(context / name).splitlines(keepends=True)
    end = max(ends, default=0)
    if b"mount" in b"".join(lines[end:]).lower():
        # It may be read otherwise than BuildKit reads it.
        end = len(lines)
    digest = hashlib.sha256(b"".join(lines[:end]))
    for path in sorted(walk(context)):
        if path != name:
            digest.update(os.fsencode(path) + b"\0" + _content_digest(context / path))
    return CacheScope(digest.hexdigest()[:_DIGITS], bool(ends))


def _steps(parsed: Dockerfile) -> Iterator[Instruction]:
    for stage in parsed.stages:
        yield from stage.triggers
        yield from stage.instructions


def _mounts_cache(step: Instruction) -> bool:
    """Whether a step mounts a cache, or may do so: a variable can be anything."""
    values = [value for name, value in step.flags if name == "mount"]
    return any("cache" in value or "$" in value for value in values)


def _content_digest(path: Path) -> bytes:
    """Return a digest of what a build sees of a file: its kind, mode and content."""
    info = path.lstat()
    digest = hashlib.sha256(f"{info.st_mode:o}\0".encode())
    if stat.S_ISLNK(info.st_mode):
        digest.update(os.fsencode(path.readlink()))
    elif stat.S_ISREG(info.st_mode):
        digest.update(_read(path))
    return digest.digest()


def _read(path: Path) -> bytes:
    """Return the content of a file; empty if it cannot be read, which no build can either."""
    with contextlib.suppress(OSError), open_file(path) as file:
        return file.read()
    return b""
