"""Compare the kit's Dockerfiles with the original ones of the course.

Measures image sizes, and the time of `docker build` after a change to one source line. README.md
in this directory explains the method and shows the latest results.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import secrets
import shutil
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from workshop.core.errors import Interrupted, UserError
from workshop.core.process import SubprocessRunner
from workshop.core.progress import ProgressDisplay
from workshop.engine import Build, Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from workshop.core.progress import Job

ORIGINALS = Path(__file__).resolve().parent / "originals"
ROOT = ORIGINALS.parent.parent
COULD_NOT = 2
INTERRUPTED = 130
MB = 10**6


@dataclass(frozen=True)
class Limits:
    """The limits for the kit, as a fraction of the original's figures."""

    above_base: float | None
    whole: float | None
    edited: float


@dataclass(frozen=True)
class Service:
    """A service with two Dockerfiles: the source file to edit, and the base image of each."""

    name: str
    folder: str
    source: str
    original_base: str
    kit_base: str
    limits: Limits


SERVICES = (
    Service(
        "greeter",
        folder="services/part-3/python-poetry",
        source="src/greeter/cli.py",
        original_base="python:3.13-slim-trixie",
        kit_base="python:3.13-slim-trixie",
        limits=Limits(above_base=0.05, whole=None, edited=0.5),
    ),
    Service(
        "deathstar",
        folder="services/deathstar",
        source="deathstar/api.py",
        original_base="python:3.11-bookworm",
        kit_base="python:3.13-slim-trixie",
        limits=Limits(above_base=None, whole=0.5, edited=0.3),
    ),
)


@dataclass
class Subject:
    """One Dockerfile in its own build context, and its measurements.

    Times are in seconds, sizes in bytes.
    """

    name: str
    context: Path
    source: Path
    base: str
    edited: list[float] = field(default_factory=list)
    unchanged: list[float] = field(default_factory=list)
    whole: int = 0
    above_base: int = 0

    @property
    def module(self) -> str:
        """The module name of the edited file."""
        return f"{self.source.parent.name}.{self.source.stem}"


@dataclass(frozen=True)
class Pair:
    """The two Dockerfiles of one service."""

    service: Service
    original: Subject
    kit: Subject

    @property
    def subjects(self) -> tuple[Subject, Subject]:
        """Both Dockerfiles, the original first."""
        return self.original, self.kit


class Benchmark:
    """Builds images, and measures build times and sizes."""

    def __init__(self, run: SubprocessRunner, engine: Engine, new_name: Callable[[], str]) -> None:
        self._run, self._engine, self._new_name = run, engine, new_name

    def build(self, subject: Subject, job: Job) -> tuple[str, float]:
        """Build an image; return its name and the seconds that `docker build` took."""
        image = self._new_name()
        build = Build(image, subject.context, subject.context / "Dockerfile")
        start = time.perf_counter()
        self._engine.build(build, on_line=job.step)
        return image, time.perf_counter() - start

    def round(self, subject: Subject, job: Job) -> None:
        """Edit one line and build; then build again without a change."""
        mark = edit(subject.source)
        image, seconds = self.build(subject, job)
        subject.edited.append(seconds)
        subject.unchanged.append(self.build(subject, job)[1])
        self._check_edit(subject, image, mark)
        subject.whole = self._engine.size(image)
        subject.above_base = subject.whole - self._base_size(subject, image)

    def _check_edit(self, subject: Subject, image: str, mark: str) -> None:
        """Check that the image contains the edit; otherwise, the times are meaningless."""
        code = f"import inspect, {subject.module}; print(inspect.getsource({subject.module}))"
        argv = ["docker", "run", "--rm", "--entrypoint", "python", image, "-c", code]
        done = self._run(argv, timeout=60)
        if mark not in done.output:
            raise UserError(
                f"{subject.name}'s image",
                "does not contain the edited line",
                f"Fix {subject.context.name}'s Dockerfile: its times are meaningless",
            )

    def _base_size(self, subject: Subject, image: str) -> int:
        layers = "{{json .RootFS.Layers}}"
        if not self._engine.inspect(image, layers).startswith(
            self._engine.inspect(subject.base, layers).rstrip("]")
        ):
            raise UserError(
                f"{subject.name}'s image",
                f"is not built on {subject.base}",
                "Fix SERVICES in benchmarks/rebuild.py",
            )
        return self._engine.size(subject.base)


def edit(source: Path) -> str:
    """Write a unique comment into the file's last line; return the comment."""
    mark = f"# edited {secrets.token_hex(8)}"
    kept = [line for line in source.read_text().splitlines() if not line.startswith("# edited ")]
    source.write_text("\n".join([*kept, mark, ""]))
    return mark


def pair(service: Service, folder: Path) -> Pair:
    """Create both contexts in `folder`; the original's files overwrite a copy of the kit's."""
    skip = shutil.ignore_patterns(".venv", "__pycache__", ".*_cache")

    def subject(side: str, base: str) -> Subject:
        context = folder / side / service.name
        shutil.copytree(ROOT / service.folder, context, ignore=skip)
        return Subject(f"{service.name}, {side}", context, context / service.source, base)

    both = Pair(
        service, subject("original", service.original_base), subject("kit", service.kit_base)
    )
    shutil.copytree(ORIGINALS / service.name, both.original.context, dirs_exist_ok=True)
    return both


def measure(benchmark: Benchmark, pairs: list[Pair], rounds: int, display: ProgressDisplay) -> None:
    """Build everything once, then `rounds` times in turn."""
    subjects = [subject for both in pairs for subject in both.subjects]
    for subject in subjects:
        with display.job(f"{subject.name}, first", "building") as job:
            benchmark.build(subject, job)
    for number in range(1, rounds + 1):
        with display.job(f"round {number} of {rounds}", "building") as job:
            # Every second round runs in reverse, so that the order does not matter.
            for subject in subjects if number % 2 else reversed(subjects):
                benchmark.round(subject, job)
            job.note(", ".join(f"{subject.edited[-1]:.2f}" for subject in subjects))


@contextlib.contextmanager
def image_names(run: SubprocessRunner) -> Iterator[Callable[[], str]]:
    """Yield a function that returns a new image name; remove these images at the end.

    Only the names are removed: an image with another name stays.
    """
    repository = f"workshop-benchmark-{secrets.token_hex(4)}"
    numbers = itertools.count(1)
    try:
        yield lambda: f"{repository}:{next(numbers)}"
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        form = "{{.Repository}}:{{.Tag}}"
        listed = run(["docker", "image", "ls", "--format", form, repository], timeout=60)
        if images := listed.output.split():
            run(["docker", "image", "rm", *images], timeout=120)


def results_table(pairs: list[Pair]) -> Table:
    """Return the table: sizes in decimal megabytes; times in seconds, as median (min-max)."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for header in ("original", "kit", "ratio", "at most"):
        table.add_column(header, justify="right", no_wrap=True)
    for both in pairs:
        original, kit, limits = both.original, both.kit, both.service.limits
        table.add_row(f"[bold]{both.service.name}")
        _add_sizes(table, "above base, MB", original.above_base, kit.above_base, limits.above_base)
        _add_sizes(table, "whole, MB", original.whole, kit.whole, limits.whole)
        _add_times(table, "edited, s", original.edited, kit.edited, limits.edited)
        _add_times(table, "unchanged, s", original.unchanged, kit.unchanged, None)
    return table


def _add_sizes(table: Table, what: str, original: int, kit: int, limit: float | None) -> None:
    cells = (f"{original / MB:.1f}", f"{kit / MB:.1f}")
    table.add_row(f"  {what}", *cells, *_verdict(kit / original, limit))


def _add_times(
    table: Table, what: str, original: list[float], kit: list[float], limit: float | None
) -> None:
    ratio = statistics.median(kit) / statistics.median(original)
    table.add_row(f"  {what}", _spread(original), _spread(kit), *_verdict(ratio, limit))


def _spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f})"


def _verdict(ratio: float, limit: float | None) -> tuple[str, str]:
    """Return the ratio, and its limit and whether it is met; empty without a limit."""
    if limit is None:
        return f"{ratio:.3f}", ""
    return f"{ratio:.3f}", f"{limit:.2f} {'kept' if ratio <= limit else 'MISSED'}"


def main(rounds: int, services: list[Service], console: Console) -> None:
    """Measure `services` and print the table."""
    run = SubprocessRunner()
    engine = Engine(run)
    info = engine.info()
    if info is None:
        raise UserError("Docker engine", "does not respond", "Run `make doctor` to find the cause")
    with (
        tempfile.TemporaryDirectory(prefix="workshop-benchmark-") as folder,
        image_names(run) as new_name,
        ProgressDisplay(console) as display,
    ):
        pairs = [pair(service, Path(folder)) for service in services]
        measure(Benchmark(run, engine, new_name), pairs, rounds, display)
        bases = {subject.base for both in pairs for subject in both.subjects}
        standins = sorted(base for base in bases if engine.standin_for(base))
    console.print()
    console.print(results_table(pairs), highlight=False)
    console.print(f"\nDocker Engine {info.version}, {os.cpu_count()} cores, rounds: {rounds}.")
    console.print("Times: the whole docker build process, as median (min-max).")
    console.print("Ratio: the kit's size or median, divided by the original's.")
    if standins:
        console.print("Base images that are stand-ins made from Debian's packages:")
        console.print(f"  {', '.join(standins)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=_positive, default=7, help="number of rounds (default: 7)")
    names = [service.name for service in SERVICES]
    parser.add_argument("--service", choices=names, help="measure only this service (default: all)")
    return parser.parse_args()


def _positive(word: str) -> int:
    if (number := int(word)) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise Interrupted


if __name__ == "__main__":
    arguments = _arguments()
    for interruption in (signal.SIGINT, signal.SIGTERM):
        signal.signal(interruption, _interrupt)
    try:
        main(
            arguments.rounds,
            [s for s in SERVICES if arguments.service in {None, s.name}],
            Console(),
        )
    except UserError as error:
        Console(stderr=True, soft_wrap=True).print(str(error), highlight=False, markup=False)
        sys.exit(COULD_NOT)
    except Interrupted:
        Console(stderr=True).print("Interrupted: the benchmark's images are removed.")
        sys.exit(INTERRUPTED)
