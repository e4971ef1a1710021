"""A cache of files by their digest. An interrupted download continues where it stopped."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from workshop.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 1 << 18
_SECONDS = 60
_PARTIAL_CONTENT, _RANGE_NOT_SATISFIABLE = 206, 416
_AGAIN = "Check the network, then run this again: finished files are kept"


class Download(NamedTuple):
    """A file to download; `path` is its path in the pack, `size` in bytes."""

    path: str
    url: str
    size: int
    sha256: str


class FileStore:
    """Verified files in a folder, each named by its SHA-256 digest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            fix = "Set XDG_CACHE_HOME to a folder that you can write to"
            raise UserError(f"cache {folder}", error.strerror or "not writable", fix) from None

    def path(self, sha256: str) -> Path:
        """Return the path of the file with a digest; it may be missing."""
        return self.folder / sha256

    def has(self, sha256: str, size: int) -> bool:
        """Whether a file is here; it was verified when it came."""
        path = self.path(sha256)
        return path.is_file() and path.stat().st_size == size

    def add(self, data: bytes) -> str:
        """Keep `data`, and return its digest."""
        sha256 = hashlib.sha256(data).hexdigest()
        if not self.has(sha256, len(data)):
            handle, name = tempfile.mkstemp(dir=self.folder, prefix="new-")
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).replace(self.path(sha256))
        return sha256

    def adopt(self, source: Path) -> tuple[str, int]:
        """Move a file into the store, and return its digest and size in bytes."""
        size, sha256 = source.stat().st_size, digest(source)
        source.replace(self.path(sha256))
        return sha256, size

    def fetch(self, file: Download, on_bytes: Callable[[int], None] = lambda _: None) -> None:
        """Download a file unless it is here, and verify it. `on_bytes` gets each number of bytes.

        Raises a `UserError` if the server does not answer, or sends another file.
        """
        if self.has(file.sha256, file.size):
            on_bytes(file.size)
            return
        part = self.folder / f"{file.sha256}.part"
        try:
            self._continue(file, part, on_bytes)
        except (OSError, HTTPException) as error:
            # An HTTPError has no errno, and its text has no address.
            reason = getattr(error, "strerror", None)
            found = reason if isinstance(reason, str) else str(error)
            raise UserError(f"download of {Path(file.path).name}", found, _AGAIN) from None
        if part.stat().st_size < file.size:
            found = f"the server sent {part.stat().st_size} of {file.size} bytes"
            raise UserError(f"download of {Path(file.path).name}", found, _AGAIN)
        if part.stat().st_size > file.size or digest(part) != file.sha256:
            part.unlink()
            found = "the server sent a file with another digest"
            raise UserError(f"download of {Path(file.path).name}", found, _AGAIN)
        part.replace(self.path(file.sha256))

    def _continue(self, file: Download, part: Path, on_bytes: Callable[[int], None]) -> None:
        have = part.stat().st_size if part.exists() else 0
        if have == file.size:
            on_bytes(have)
            return
        headers = {"Range": f"bytes={have}-"} if have else {}
        with contextlib.ExitStack() as stack:
            try:
                request = Request(file.url, headers=headers)  # noqa: S310 - of the package index
                answer = stack.enter_context(urlopen(request, timeout=_SECONDS))  # noqa: S310
            except HTTPError as error:
                if error.code == _RANGE_NOT_SATISFIABLE:
                    part.unlink()
                raise
            continues = answer.status == _PARTIAL_CONTENT
            on_bytes(have if continues else 0)
            out = stack.enter_context(part.open("ab" if continues else "wb"))
            while chunk := answer.read(_CHUNK):
                out.write(chunk)
                on_bytes(len(chunk))


def digest(path: Path) -> str:
    """Return the SHA-256 digest of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
