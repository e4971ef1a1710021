"""Compare the kit's Dockerfiles with the original ones of the course.

Measures the sizes of the images, and the time of `docker build` after a change to one source line
and without a change. README.md in this directory explains the method.
"""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import command
from benchmarks.images import new_name
from benchmarks.rounds import Case
from workshop.core.errors import UserError
from workshop.core.paths import ROOT
from workshop.engine import Build, Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.rounds import Rounds

ORIGINALS = ROOT / "benchmarks/originals"
ORIGINAL, KIT = "original", "kit"
MB = 10**6


@dataclass(frozen=True)
class Service:
    """A service with two Dockerfiles: the source file to edit, and the base image of each side."""

    name: str
    folder: str
    source: str
    bases: dict[str, str]


SERVICES = (
    Service(
        "greeter",
        folder="services/part-3/python-poetry",
        source="src/greeter/cli.py",
        bases={ORIGINAL: "python:3.13-slim-trixie", KIT: "python:3.13-slim-trixie"},
    ),
    Service(
        "deathstar",
        folder="services/deathstar",
        source="deathstar/api.py",
        bases={ORIGINAL: "python:3.11-bookworm", KIT: "python:3.13-slim-trixie"},
    ),
)


class Subject:
    """One Dockerfile in its own build context, and the image that is built from it."""

    def __init__(self, service: Service, side: str, folder: Path, engine: Engine) -> None:
        """Copy the service into `folder`; the original's files replace some of the kit's."""
        self.service, self.side, self._engine = service, side, engine
        self.image = new_name()
        self._context = folder / side / service.name
        ignored = shutil.ignore_patterns(".venv", "__pycache__", ".*_cache")
        shutil.copytree(ROOT / service.folder, self._context, ignore=ignored)
        if side == ORIGINAL:
            shutil.copytree(ORIGINALS / service.name, self._context, dirs_exist_ok=True)

    def measure(self) -> dict[str, float]:
        """Edit one line and build; then build again without a change. Sizes are in megabytes."""
        mark = edit(self._context / self.service.source)
        edited, unchanged = self._build(), self._build()
        self._check_edit(mark)
        size = self._engine.size(self.image)
        return {
            "edited": edited,
            "unchanged": unchanged,
            "whole": size / MB,
            "above-base": (size - self._base_size()) / MB,
        }

    def _build(self) -> float:
        start = time.perf_counter()
        self._engine.build(Build(self.image, self._context, self._context / "Dockerfile"))
        return time.perf_counter() - start

    def _check_edit(self, mark: str) -> None:
        """Check that the image contains the edit; otherwise, the times are meaningless."""
        source = Path(self.service.source)
        module = f"{source.parent.name}.{source.stem}"
        code = f"import inspect, {module}; print(inspect.getsource({module}))"
        options = ("--rm", "--network", "none", "--entrypoint", "python")
        done = self._engine.run(self.image, self.image, options, ("-c", code), timeout=60)
        if mark not in done.output:
            raise UserError(
                f"the image of {self.service.name}, {self.side}",
                "it does not contain the edited line",
                "Fix its Dockerfile: its times are meaningless",
            )

    def _base_size(self) -> int:
        base, layers = self.service.bases[self.side], "{{json .RootFS.Layers}}"
        if not self._engine.inspect(self.image, layers).startswith(
            self._engine.inspect(base, layers).rstrip("]")
        ):
            raise UserError(
                f"the image of {self.service.name}, {self.side}",
                f"it is not built on {base}",
                "Fix SERVICES in benchmarks/rebuild.py",
            )
        return self._engine.size(base)


def edit(source: Path) -> str:
    """Write a unique comment into the file's last line; return the comment."""
    mark = f"# edited {secrets.token_hex(8)}"
    lines = source.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("# edited ")]
    source.write_text("\n".join([*kept, mark, ""]), encoding="utf-8")
    return mark


def measure(rounds: Rounds) -> None:
    """Rebuild both sides of each service in turn."""
    engine = Engine()
    engine.require("benchmark rebuild")
    with tempfile.TemporaryDirectory() as folder:
        subjects = [
            Subject(service, side, Path(folder), engine)
            for service in SERVICES
            for side in (ORIGINAL, KIT)
        ]
        try:
            rounds.compare([Case(s.service.name, s.side, s.measure) for s in subjects])
        finally:
            engine.remove(*(subject.image for subject in subjects))
            engine.remove_images(*(subject.image for subject in subjects))
    for note in describe_stand_ins(engine, *(s.bases[side] for s in SERVICES for side in s.bases)):
        rounds.note(note)


def describe_stand_ins(engine: Engine, *bases: str) -> Iterator[str]:
    """Yield a sentence about the base images that are stand-ins, if there are any."""
    if found := sorted({base for base in bases if engine.standin_for(base)}):
        names = ", ".join(f"`{base}`" for base in found)
        yield f"Base images that are stand-ins made from Debian's packages: {names}."


if __name__ == "__main__":
    sys.exit(command.main("rebuild", measure))
