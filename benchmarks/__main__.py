"""Run the benchmarks one after another, and write their page: `make bench`.

Each benchmark is a process, which stores its result when it has one. If one fails, its last result
stays, and the others run.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from benchmarks import machine
from benchmarks.command import COULD_NOT, INTERRUPTED, PATIENCE, positive
from workshop.core.errors import Interrupted, UserError
from workshop.core.paths import ROOT
from workshop.core.process import SubprocessRunner
from workshop.core.progress import ProgressDisplay
from workshop.site import measurements, reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from workshop.core.process import Runner
    from workshop.site.measurements import Benchmark

# A benchmark ends itself at its limit; this is for one that does not.
GRACE = 120.0  # seconds
LEAST = 0.4  # of the planned time; with less left, a benchmark does not start
QUIET = 0.7  # the load of a machine on which nothing else runs


@dataclass(frozen=True)
class Plan:
    """The benchmarks to run, how often each measures, and where the results go."""

    benchmarks: Sequence[Benchmark]
    rounds: int | None
    folder: Path
    minutes: float | None = None  # the planned time of each, in place of the catalogue's

    @property
    def longest(self) -> float:
        """The time limit of all together, in minutes: the sum of their planned times."""
        return sum(self.minutes or benchmark.minutes for benchmark in self.benchmarks)

    def describe(self) -> str:
        """Say how long it will take: as long as the last time, and never longer than the limit."""
        count = len(self.benchmarks)
        name = "1 benchmark" if count == 1 else f"{count} benchmarks"
        limit = f"at most {self.longest:g} min"
        known = [_last_seconds(benchmark) for benchmark in self.benchmarks]
        if self.rounds or self.minutes or not all(known):
            return f"{name}: {limit}. Leave the machine alone meanwhile."
        minutes = max(1, round(sum(known) / 60))
        return f"{name}: about {minutes} min, as last time, {limit}. Leave the machine alone."


def plan(options: argparse.Namespace) -> Plan:
    """Return what the command line selects; `--resume` leaves out what this commit has measured."""
    catalogue = measurements.catalogue()
    chosen = [one for one in catalogue if one.name in (options.name or [b.name for b in catalogue])]
    if options.resume:
        commit, modified = machine.read_commit()
        chosen = [one for one in chosen if not _is_measured(one, options.out, commit, modified)]
    return Plan(chosen, options.rounds, options.out, options.minutes)


def run_all(
    planned: Plan,
    run: Runner,
    display: ProgressDisplay,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, str]:
    """Run the benchmarks; return why some have failed, by name.

    One that is slower than planned takes the time of those that are faster. When the time limit of
    all is over, the rest fails.
    """
    failed = {}
    end = clock() + 60 * planned.longest
    for benchmark in planned.benchmarks:
        minutes = planned.minutes or benchmark.minutes
        limit = min(PATIENCE * minutes, (end - clock()) / 60)
        if limit < LEAST * minutes:
            failed[benchmark.name] = "no time is left"
            continue
        with display.job(benchmark.name, "starting") as job:
            options = ["--minutes", f"{minutes:g}", "--limit", f"{limit:.3f}"]
            options += ["--out", str(planned.folder)]
            options += ["--rounds", str(planned.rounds)] * bool(planned.rounds)
            env = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "PYTHONUNBUFFERED": "1"}
            done = run(
                (sys.executable, "-m", f"benchmarks.{benchmark.name}", *options),
                env=env,
                on_line=job.line,
                timeout=60 * limit + GRACE,
            )
            if done.code:
                failed[benchmark.name] = done.last_line or f"exit code {done.code}"
            job.note("failed" if done.code else "")
    return failed


def advice(failed: dict[str, str]) -> Iterator[str]:
    """Yield a line for each benchmark that failed, and the command that runs these again."""
    for name, reason in failed.items():
        yield f"{name}: {reason}"
    if failed:
        yield f"Their last results stay. Run them again: .venv/bin/task bench -- {' '.join(failed)}"


def main() -> int:
    """Measure, and write the page; return 0, 1 if a benchmark failed, 2, or 130."""
    options = _arguments()
    console, run = Console(), SubprocessRunner()

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        if run.stop():
            raise Interrupted

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    failed: dict[str, str] = {}
    try:
        planned = plan(options)
        console.print(planned.describe(), highlight=False, soft_wrap=True)
        if (load := machine.read_load()) > QUIET:
            warning = f"The machine is busy (load {load:.1f}): the figures will vary."
            console.print(warning, highlight=False, soft_wrap=True)
        with ProgressDisplay(console) as display:
            failed = run_all(planned, run, display)
        for line in advice(failed):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    except UserError as error:
        Console(stderr=True, soft_wrap=True).print(str(error), highlight=False, markup=False)
        return COULD_NOT
    except Interrupted:
        console.print("Interrupted. Finish it with: .venv/bin/task bench -- --resume")
        return INTERRUPTED
    finally:
        if options.out == measurements.RESULTS:
            write_page()
    return int(bool(failed))


def write_page() -> None:
    """Write the page and its charts from what is stored, and remove charts of unknown figures."""
    names = [name for name in reference.pages() if name.startswith("benchmarks")]
    for chart in (reference.FOLDER / "benchmarks").glob("*.svg"):
        if f"benchmarks/{chart.name}" not in names:
            chart.unlink()
    reference.write(*names)


def _last_seconds(benchmark: Benchmark) -> float:
    result = measurements.read(benchmark)
    return result.seconds if result else 0


def _is_measured(
    benchmark: Benchmark,
    folder: Path,
    commit: str,
    modified: bool,  # noqa: FBT001 - the two results of `read_commit`
) -> bool:
    result = measurements.read(benchmark, folder)
    return result is not None and (result.commit, result.modified) == (commit, modified)


def _arguments() -> argparse.Namespace:
    names = [benchmark.name for benchmark in measurements.catalogue()]
    parser = argparse.ArgumentParser(prog="task bench --", description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="*", help=f"one or more of {', '.join(names)} (default: all)")
    text = "how often each measures everything (default: as in benchmarks/benchmarks.toml)"
    parser.add_argument("--rounds", type=positive, help=text)
    text = "how long each may measure (default: as in benchmarks/benchmarks.toml)"
    parser.add_argument("--minutes", type=float, help=text)
    text = "leave out those that are measured with this commit"
    parser.add_argument("--resume", action="store_true", help=text)
    text = "the folder for the results (default: benchmarks/results, which also writes the page)"
    parser.add_argument("--out", type=Path, default=measurements.RESULTS, help=text)
    options = parser.parse_args()
    if unknown := sorted(set(options.name) - set(names)):
        parser.error(f"no benchmark is named {unknown[0]}: choose from {', '.join(names)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
