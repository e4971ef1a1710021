"""What the course's Dockerfiles install: from Debian's packages, and from the package index."""

from __future__ import annotations

import re
import shlex
from string import Template
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis.dockerfile.parser import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workshop.analysis.dockerfile.instructions import Instruction
    from workshop.analysis.dockerfile.parser import Dockerfile

_APT = re.compile(r"\s*apt(?:-get)?\s.*\binstall\b")
_PIP = re.compile(r"\s*(?:python3? -m )?pip3?\s.*\binstall\b")
_LISTED = re.compile(r"\s(?:-r|--requirement|-c|--constraint)\b")
_BASE = re.compile(r"python:(\d+)\.(\d+)\b")


class Recipe(NamedTuple):
    """The commands of the stages that one Dockerfile builds on one base image.

    `apt` are its `apt-get install` commands. `python` are the requirements in its `pip install`
    commands, such as `poetry==2.5.1`, without those that a file of the folder lists.
    """

    folder: Path
    base: str
    apt: tuple[str, ...]
    python: tuple[str, ...]


def read_all(services: Path) -> list[Recipe]:
    """Read every Dockerfile below `services`."""
    files = sorted(services.rglob("Dockerfile*"))
    return [r for file in files if file.suffix != ".dockerignore" for r in _read(file)]


def _read(file: Path) -> Iterator[Recipe]:
    parsed = parse(file.read_bytes())
    roots: dict[str, list[Instruction]] = {}
    for stage in parsed.stages:
        roots.setdefault(_root(parsed, stage.number), []).extend(stage.instructions)
    for base, steps in roots.items():
        values = {**parsed.arguments, **_variables(steps)}
        texts = [text for step in steps for text in _commands(step)]
        commands = [Template(text).safe_substitute(values) for text in texts]
        yield Recipe(
            file.parent,
            base,
            tuple(command for command in commands if _APT.match(command)),
            tuple(name for command in commands for name in _requirements(command)),
        )


def _root(parsed: Dockerfile, number: int) -> str:
    """Return the image that a stage is built on, through its parents."""
    stage = parsed.stages[number]
    return stage.base if stage.parent is None else _root(parsed, stage.parent)


def _commands(step: Instruction) -> Iterator[str]:
    if step.keyword == "RUN" and not step.exec_form:
        yield from (part.strip() for part in re.split(r"&&|;|\n", step.text))


def _variables(steps: list[Instruction]) -> dict[str, str]:
    settings = (v for step in steps if step.keyword in {"ARG", "ENV"} for v in step.values)
    return dict(setting.partition("=")[::2] for setting in settings if "=" in setting)


def _requirements(command: str) -> Iterator[str]:
    if _PIP.match(command) and not _LISTED.search(command):
        words = shlex.split(_PIP.sub("", command))
        yield from (word for word in words if not word.startswith("-"))


def python_of(image: str) -> tuple[int, int] | None:
    """Return the minor version of Python that an official image's tag names."""
    found = _BASE.match(image)
    return (int(found[1]), int(found[2])) if found else None
