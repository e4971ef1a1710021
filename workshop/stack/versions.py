"""Reads the pinned versions in `versions.toml`."""

from __future__ import annotations

import tomllib
from datetime import date  # noqa: TC003 - pydantic reads it at run time
from typing import TYPE_CHECKING

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


class Versions(_Table):
    """The content of `versions.toml`."""

    poetry: Poetry
    standin: Standin
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
