"""Reads the pinned versions in `versions.toml`."""

from __future__ import annotations

import re
import sys
import tomllib
from datetime import date  # noqa: TC003 - pydantic reads it at run time
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from workshop.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path


class _Table(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=lambda n: n.replace("_", "-")
    )


class Base(_Table):
    """A base image, the day its support ends, and how its stand-in is built."""

    image: str
    ends: date
    recipe: str
    suite: str
    packages: tuple[str, ...] = ()


class Original(_Table):
    """A version that the course was first written for, and the build arguments that select it."""

    service: str
    image: str
    arguments: dict[str, str] = {}
    gone: str = ""


class Poetry(_Table):
    """The Poetry that every Dockerfile installs."""

    version: str


class Standin(_Table):
    """The packages that pip installs in a stand-in for Python, as requirement specifiers."""

    pip: str
    mirror_plugin: str


class Tested(_Table):
    """The oldest versions of Docker's programs that the kit's tests have run with."""

    engine: str = "0"
    compose: str = "0"
    buildx: str = "0"


class Feature(_Table):
    """A feature of one of Docker's programs, the lowest version with it, and what uses it.

    `sign` is a regular expression that finds the feature in a lesson.
    """

    name: str
    program: Literal["engine", "compose", "buildx"]
    lowest: str
    sign: str = ""
    lessons: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


class Versions(_Table):
    """The content of `versions.toml`."""

    poetry: Poetry
    standin: Standin
    tested: Tested = Tested()
    feature: tuple[Feature, ...] = ()
    base: tuple[Base, ...]
    original: tuple[Original, ...] = ()


def read(path: Path) -> Versions:
    """Read `path`; raise a `UserError` that names the entry if one is invalid."""
    try:
        return Versions.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        fix = "Restore it with: git checkout versions.toml"
        raise UserError(path.name, str(error), fix) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UserError(path.name, f"{where}: {first['msg']}", "Fix that entry.") from None


def number(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, to compare: `26.1.5+dfsg1` is (26, 1, 5).

    A version without numbers, as of a program under development, is greater than any other.
    """
    found = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(map(int, found[1].split("."))) if found else (sys.maxsize,)
