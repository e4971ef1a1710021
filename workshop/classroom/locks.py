"""The Python packages that the course pins: in lock files, requirements and constraints."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, NamedTuple

from workshop.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_SEPARATORS = re.compile(r"[-_.]+")
# The names of lock files in a service's folder, and how each is read.
LOCKS = ("poetry.lock", "constraints.txt", "requirements.txt", "requirements-test.txt")


class Pin(NamedTuple):
    """A package in one version, and the digests of the files that its lock allows.

    Without digests, every file of that version is allowed.
    """

    name: str
    version: str
    hashes: frozenset[str] = frozenset()


def normalise(name: str) -> str:
    """Return the normalised name of a package (PEP 503)."""
    return _SEPARATORS.sub("-", name).lower()


def read(path: Path) -> list[Pin]:
    """Return the pins of a lock file; raise a `UserError` if it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
        return [*(_read_poetry(text) if path.suffix == ".lock" else _read_requirements(text))]
    except (OSError, ValueError, KeyError) as error:
        fix = f"Restore it with: git checkout {path.name}"
        raise UserError(str(path), f"it cannot be read ({error})", fix) from None


def _read_poetry(text: str) -> Iterator[Pin]:
    for package in tomllib.loads(text)["package"]:
        hashes = (file["hash"].removeprefix("sha256:") for file in package["files"])
        yield Pin(normalise(package["name"]), package["version"], frozenset(hashes))


def _read_requirements(text: str) -> Iterator[Pin]:
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if found := _PIN.match(line):
            yield Pin(normalise(found[1]), found[2], frozenset(_HASH.findall(line)))
