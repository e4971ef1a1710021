"""The accounts with which learners push images: each to repositories below the own name only."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
from typing import TYPE_CHECKING

from workshop.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PASSWORDS, USERS = "passwords.txt", "users"
SEATS = 30
# What Docker allows as the first part of a repository's name.
_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
# These hold the base images.
_RESERVED = {"amd64", "arm64", "library"}
_MAX_NAME = 64
_BYTES = 9


def read_learners(path: Path | None) -> list[str]:
    """Read names, one on each line; without a file, they are `learner-1` to `learner-30`."""
    if path is None:
        return [f"learner-{number}" for number in range(1, SEATS + 1)]
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"learners {path}", str(error), "Name a text file") from None
    names = [line.strip() for line in lines if line.strip()]
    for number, name in enumerate(lines, 1):
        if name.strip() and not _is_allowed(name.strip()):
            fix = "Use lower-case letters, digits, and single hyphens between them"
            found = f"'{name.strip()}' cannot be the name of a repository"
            raise UserError(f"{path}, line {number}", found, fix)
    if not names:
        raise UserError(f"learners {path}", "it holds no name", "Write one name on each line")
    return list(dict.fromkeys(names))


def _is_allowed(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and name not in _RESERVED and len(name) <= _MAX_NAME


def ensure(folder: Path, learners: Iterable[str]) -> Path:
    """Write a password for each learner that has none; return the file for the web server.

    The passwords are in a file that only the instructor can read.
    """
    path = folder / PASSWORDS
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    known = dict(line.split() for line in lines if line.strip())
    passwords = known | {n: secrets.token_urlsafe(_BYTES) for n in learners if n not in known}
    _write_private(path, [f"{name} {password}" for name, password in passwords.items()])
    users = folder / USERS
    _write_private(users, [f"{name}:{_hash(password)}" for name, password in passwords.items()])
    return users


def _hash(password: str) -> str:
    """Return a salted hash (RFC 2307). A fast one will do: the passwords have 72 random bits."""
    salt = secrets.token_bytes(8)
    digest = hashlib.sha1(password.encode() + salt, usedforsecurity=False).digest()
    return "{SSHA}" + base64.b64encode(digest + salt).decode()


def _write_private(path: Path, lines: Iterable[str]) -> None:
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    new.replace(path)
