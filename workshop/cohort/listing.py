"""Lists the files of a submission without reading them, and identifies them by a digest."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from workshop.core.files import open_file
from workshop.core.paths import MAX_PATH, walk
from workshop.grading.build_context import MAX_BYTES, MAX_FILES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# A folder may hold the work on all tasks; each submission of it has the limits of a build context.
MAX_LISTED = 20_000
_CHUNK = 1024 * 1024


class Unlisted(Exception):  # noqa: N818 - becomes a `Refused`
    """A folder that cannot be a submission: what was found, and how to fix it."""

    def __init__(self, found: str, fix: str) -> None:
        self.found, self.fix = found, fix
        super().__init__(found)


class Listing(NamedTuple):
    """The files below a folder that are not specific to one machine, by their relative path."""

    folder: Path
    files: Mapping[str, os.stat_result]

    def below(self, folder: str) -> Mapping[str, os.stat_result]:
        """Return the files below a folder, which may be empty for all, relative to it."""
        if not folder:
            return self.files
        start = f"{folder}/"
        return {
            path.removeprefix(start): info
            for path, info in self.files.items()
            if path.startswith(start)
        }


def read(folder: Path) -> Listing:
    """List a folder; raise `Unlisted` if it cannot be read, or has too many or too deep files."""
    files: dict[str, os.stat_result] = {}
    try:
        # `walk` skips folders that cannot be read.
        os.scandir(folder).close()
        for path in walk(folder):
            if len(path) > MAX_PATH:
                found = f"a path of {len(path)} characters: {path[:40]}..."
                raise Unlisted(found, f"Ask for paths of at most {MAX_PATH} characters")
            if len(files) == MAX_LISTED:
                fix = "Ask for the folder of the task, without other files"
                raise Unlisted(f"more than {MAX_LISTED:,} files", fix)
            files[path] = os.lstat(f"{folder}/{path}")
    except OSError as error:
        found = error.strerror or "it cannot be read"
        raise Unlisted(found, "Make it readable, and grade again") from None
    return Listing(folder, files)


def digest(listing: Listing, folder: str) -> str:
    """Return the SHA-256 of the names, contents and executable bits below a folder.

    Links are not followed, and only regular files are read. Raises `Unlisted` if a build context
    could not hold the files, or if one cannot be read.
    """
    files = listing.below(folder)
    size = sum(info.st_size for info in files.values())
    if size > MAX_BYTES or len(files) > MAX_FILES:
        found = f"more than {MAX_BYTES // 1_000_000} MB or {MAX_FILES:,} files"
        raise Unlisted(found, "Ask for the folder of the task, without other files")
    top = os.path.join(listing.folder, folder)  # noqa: PTH118 - much faster than a Path
    total = hashlib.sha256()
    for path in sorted(files):
        info = files[path]
        try:
            content = _content_digest(f"{top}/{path}", info)
        except OSError as error:
            found = f"{path}: {error.strerror or 'it cannot be read'}"
            raise Unlisted(found, "Make it readable, and grade again") from None
        is_executable = stat.S_ISREG(info.st_mode) and info.st_mode & stat.S_IXUSR
        kind = f"{stat.S_IFMT(info.st_mode):o}{'x' if is_executable else ''}"
        total.update(os.fsencode(path) + f"\0{kind}\0".encode() + content)
    return total.hexdigest()


def _content_digest(path: str, info: os.stat_result) -> bytes:
    content = hashlib.sha256()
    if stat.S_ISLNK(info.st_mode):
        content.update(os.fsencode(os.readlink(path)))  # noqa: PTH115 - as above
    elif stat.S_ISREG(info.st_mode):
        # Not even a file that was replaced by a FIFO or a link meanwhile makes this wait.
        with open_file(path) as file:
            left = info.st_size
            while left > 0 and (block := file.read(min(left, _CHUNK))):
                content.update(block)
                left -= len(block)
    return content.digest()
