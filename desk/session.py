"""The secrets of a desk: the cookie, the secret path, and links that open the desk once.

They are in a file of the user's cache, which only the user can read, so that a page that was open
when its desk ended reconnects to the next one, with its unsaved text. The desk of a folder locks
that file while it runs; another `workshop learn` then makes a link to it, and starts none.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, TextIO

from workshop.core.errors import UserError
from workshop.core.files import create_file, open_file
from workshop.core.paths import cache_folder

if TYPE_CHECKING:
    from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: every `workshop learn` starts a desk
    fcntl = None  # type: ignore[assignment]

SECONDS_TO_REUSE = 12 * 3600


def session_file(base: Path) -> Path:
    """Return the file for the desk of the folder `base`."""
    return cache_folder() / "desk" / f"{sha256(os.fsencode(base)).hexdigest()[:16]}.json"


class Session:
    """The secrets in `file`, or new ones if it cannot be used.

    `address` is set if another process runs the desk; `serve` sets it otherwise.
    """

    def __init__(self, file: Path | None = None, now: float | None = None) -> None:
        self.cookie, self.path = secrets.token_urlsafe(24), secrets.token_hex(12)
        self.address = ""
        self._since = now or time.time()
        self._token = b""
        self._file: TextIO | None = None
        # Where another process leaves the token of a new link.
        self._other = file and file.with_suffix(".token")
        if file:
            with contextlib.suppress(OSError):
                file.parent.mkdir(parents=True, exist_ok=True)
                self._open(file)

    def _open(self, file: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        opened = os.fdopen(os.open(file, flags, 0o600), "r+", encoding="utf-8")
        is_first = _lock(opened)
        is_private = not os.fstat(opened.fileno()).st_mode & 0o077
        with contextlib.suppress(ValueError, TypeError, KeyError):  # new, or damaged
            kept = json.load(opened)
            if not is_first:
                self.address = str(kept["address"])
            elif is_private and self._since - kept["since"] < SECONDS_TO_REUSE:
                self.cookie, self.path, self._since = kept["cookie"], kept["path"], kept["since"]
        if not is_first:
            opened.close()
            return
        self._file = opened
        file.chmod(0o600)
        self._write()

    def _write(self) -> None:
        kept = {"cookie": self.cookie, "path": self.path, "since": self._since}
        if self._file:
            self._file.seek(0)
            self._file.truncate()
            json.dump({**kept, "address": self.address}, self._file)
            self._file.flush()

    def serve(self, address: str) -> str:
        """Record the address of this desk, and return a link to it."""
        self.address, token = address, secrets.token_urlsafe(24)
        self._token = token.encode()
        with contextlib.suppress(OSError):
            if self._other:
                self._other.unlink(missing_ok=True)
            self._write()
        return f"{address}/?token={token}"

    def leave_link(self) -> str:
        """Return a link to the desk that another process runs; an earlier one ends.

        Raises `UserError` if it cannot be left.
        """
        assert self._other  # noqa: S101 - its address comes from there
        token = secrets.token_urlsafe(24)
        try:
            self._other.unlink(missing_ok=True)
            with create_file(self._other, 0o600) as file:
                file.write(token.encode())
        except OSError as error:
            found = error.strerror or "it cannot be written"
            raise UserError(str(self._other), found, "Fix that, and try again") from None
        return f"{self.address}/?token={token}"

    def redeem(self, token: str) -> bool:
        """Whether a token is that of a link that was not used; it is used now."""
        if _equal(token, self._token):
            self._token = b""
            return True
        if self._other is None:
            return False
        with contextlib.suppress(OSError):
            with open_file(self._other) as file:
                known = file.read()
            if _equal(token, known):
                self._other.unlink()
                return True
        return False

    def close(self) -> None:
        """Let the next desk of this folder start."""
        if self._file:
            self._file.close()


def _equal(token: str, known: bytes) -> bool:
    return bool(known) and compare_digest(token.encode(), known)


def _lock(file: TextIO) -> bool:
    """Lock an open file until it is closed; return whether no other process has locked it."""
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
