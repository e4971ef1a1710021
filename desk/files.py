"""Reads and writes the text files of the exercises, and nothing outside their folder.

Every folder of a path is opened from the one above it, and links are not followed. A save replaces
the file as a whole, so that a full disk or a killed server leaves the old text.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import threading
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workshop.core.errors import UserError
from workshop.core.files import create_file, open_file
from workshop.core.paths import MAX_PATH, MAX_TEXT, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILES = 300
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFLNK: "a link"}


class File(NamedTuple):
    """A file's text, and a version that changes with it; the version of a missing file is empty."""

    text: str
    version: str


MISSING = File("", "")


class Conflict(Exception):  # noqa: N818 - an outcome that the page shows
    """The file on the disk is not the version that the page has changed; `found` is there now."""

    def __init__(self, found: File) -> None:
        super().__init__("the file has changed on the disk")
        self.found = found


class Files:
    """The text files below `root`. Paths are relative to it, with slashes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        # Two pages that save one file are in conflict, whichever comes first.
        self._saving = threading.Lock()

    def find_folder(self, folder: str) -> Path | None:
        """Return the path of an exercise's folder, unless it is missing or a link."""
        _split(folder)
        top = self._root / folder
        return None if top.is_symlink() or not top.is_dir() else top

    def list_files(self, folder: str) -> list[str]:
        """List the files in an exercise's folder, at most `MAX_FILES`; links are left out."""
        top = self.find_folder(folder)
        if top is None:
            return []
        found = (f"{folder}/{path}" for path in walk(top) if not (top / path).is_symlink())
        return [path for path, _ in zip(found, range(MAX_FILES), strict=False)]

    def read(self, path: str) -> File:
        """Return a file, also one that does not exist; raise `UserError` for no text to edit."""
        try:
            with self._open_parent(path) as (name, folder):
                return _read(path, name, folder)
        except FileNotFoundError:
            return MISSING
        except OSError as error:
            raise _describe(path, error) from None

    def save(self, path: str, text: str, base: str, before: str | None = None) -> File:
        """Replace or create a file whose version is `base`, or whose text is `before`; return it.

        Raises `Conflict` if the file has another version, and `UserError` if it cannot be written.
        """
        content = text.encode("utf-8", errors="replace")
        if len(content) > MAX_TEXT:
            size = f"{len(content) / 1e6:.1f} MB, and the editor saves at most 1 MB"
            raise UserError(path, size, "Make it shorter")
        try:
            with self._saving, self._open_parent(path, create=True) as (name, folder):
                try:
                    found = _read(path, name, folder)
                except FileNotFoundError:
                    found = MISSING
                if found.version != base and found.text not in {text, before}:
                    raise Conflict(found)
                _replace(name, folder, content)
        except OSError as error:
            raise _describe(path, error) from None
        return File(text, _version(content))

    @contextlib.contextmanager
    def _open_parent(self, path: str, *, create: bool = False) -> Iterator[tuple[str, int | None]]:
        """Open the folder of a file, link by link; yield the file's name, and the folder.

        Where folders cannot be opened, as on Windows, yield the file's path instead, and None.
        """
        *folders, name = _split(path)
        if os.open not in os.supports_dir_fd:
            yield str(self._find_parent(folders, create=create) / name), None
            return
        with contextlib.ExitStack() as stack:
            at = os.open(self._root, os.O_RDONLY)
            stack.callback(os.close, at)
            for part in folders:
                if create:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, dir_fd=at)
                at = os.open(part, _FOLDER, dir_fd=at)
                stack.callback(os.close, at)
            yield name, at

    def _find_parent(self, folders: list[str], *, create: bool) -> Path:
        """Return the folder of a file; raise `UserError` for a link."""
        at = self._root
        for part in folders:
            at /= part
            if create:
                at.mkdir(exist_ok=True)
            if at.is_symlink() or at.resolve() != at.parent.resolve() / part:
                raise UserError(str(at), "it is a link", "Use a folder")
        return at


def _split(path: str) -> list[str]:
    """Split a path; raise `UserError` for one that leaves its folder."""
    parts = path.split("/")
    odd = any(part in {"", ".", ".."} or set(part) & set("\\\0:") for part in parts)
    if odd or len(path) > MAX_PATH:
        raise UserError("the path of a file", "it is not inside the exercises", "Use another path")
    return parts


def _read(path: str, name: str, folder: int | None) -> File:
    info = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISREG(info.st_mode):
        kind = _KINDS.get(stat.S_IFMT(info.st_mode), "not a regular file")
        raise UserError(path, f"it is {kind}", "The editor opens regular files only")
    with open_file(name, dir_fd=folder) as file:
        content = file.read(MAX_TEXT + 1)
    if len(content) > MAX_TEXT:
        found = f"it has {info.st_size / 1e6:.1f} MB, and the editor opens at most 1 MB"
        raise UserError(path, found, "Use the terminal")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise UserError(path, "it is not UTF-8 text", "The editor opens text only")
    return File(text, _version(content))


def _replace(name: str, folder: int | None, content: bytes) -> None:
    """Write a new file beside the old one, and rename it."""
    try:
        mode = stat.S_IMODE(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        mode = None
    old = Path(name)
    new = str(old.with_name(f".{old.name[:100]}.{secrets.token_hex(6)}.tmp"))
    try:
        with create_file(new, dir_fd=folder) as file:
            file.write(content)
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(new, dir_fd=folder)
        raise


def _version(content: bytes) -> str:
    return sha256(content).hexdigest()[:20]


def _describe(path: str, error: OSError) -> UserError:
    """Return the error for a learner; the editor keeps the text that was not saved."""
    found = error.strerror or "it cannot be used"
    return UserError(path, found, "Fix that; the page keeps your text")
