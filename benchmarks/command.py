"""The command line of one benchmark: `python -m benchmarks.NAME`."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from benchmarks import machine
from benchmarks.rounds import Rounds
from workshop.core.errors import Interrupted, UserError
from workshop.core.process import temporary_folder
from workshop.core.progress import ProgressDisplay
from workshop.engine import Engine
from workshop.site import measurements
from workshop.site.benchmarks import line_of
from workshop.site.measurements import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from workshop.site.measurements import Benchmark, Row

COULD_NOT, INTERRUPTED = 2, 130
# Of the planned time, the rest is for the first round and for removing everything.
SHARE_FOR_ROUNDS = 0.7
# How often the planned time a benchmark may take on a busy machine.
PATIENCE = 2.0


class OutOfTime(Interrupted):
    """The time limit of a benchmark is over."""


def main(name: str, measure: Callable[[Rounds], None]) -> int:
    """Run a benchmark, store its result, and print it; return 0, 2 if it failed, or 130."""
    benchmark = next(one for one in measurements.catalogue() if one.name == name)
    options = _arguments(benchmark)
    limit = options.limit or PATIENCE * options.minutes
    console = Console(stderr=True, soft_wrap=True)
    try:
        changed = {"rounds": options.rounds, "minutes": options.minutes}
        benchmark = benchmark.model_copy(update=changed)
        result = run(benchmark, measure, limit, console)
        path = store(result, options.out)
    except UserError as error:
        console.print(str(error), highlight=False, markup=False)
        return COULD_NOT
    except OutOfTime:
        found = f"it did not end within {limit:.3g} minutes"
        fix = "Run it on a quiet machine, or with more --minutes"
        console.print(str(UserError(f"benchmark {name}", found, fix)), highlight=False)
        return COULD_NOT
    except Interrupted:
        console.print("Interrupted: nothing is stored, and nothing is left behind.")
        return INTERRUPTED
    sys.stdout.write("\n".join([*report(benchmark, result.rows), f"stored in {path}", ""]))
    return 0


def run(
    benchmark: Benchmark, measure: Callable[[Rounds], None], limit: float, console: Console
) -> Result:
    """Measure as often as the planned time allows, for at most `limit` minutes."""
    commit, modified = machine.read_commit()
    load, date, start = machine.read_load(), datetime.now(UTC), time.monotonic()
    with (
        _signals(60 * limit),
        temporary_folder(),
        ProgressDisplay(console) as display,
        display.job(benchmark.name, "preparing") as job,
    ):

        def show(text: str) -> None:
            job.line(text)
            if not console.is_terminal:
                sys.stdout.write(f"{text}\n")
                sys.stdout.flush()

        found = Rounds(benchmark.rounds, SHARE_FOR_ROUNDS * 60 * benchmark.minutes, show)
        measure(found)
    measurements.check(benchmark, found.rows)
    info = Engine().info()
    return Result(
        benchmark=benchmark.name,
        date=date.replace(microsecond=0),
        commit=commit,
        modified=modified,
        seconds=round(time.monotonic() - start, 1),
        machine=machine.describe(info.version if info else "", load),
        notes=tuple(found.notes),
        rows=tuple(found.rows),
    )


def store(result: Result, folder: Path) -> Path:
    """Write a result in one step, so that an interruption keeps the last one whole."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.benchmark}.json"
    part = path.with_suffix(".part")
    part.write_text(result.to_json(), encoding="utf-8")
    part.replace(path)
    return path


def report(benchmark: Benchmark, rows: Sequence[Row]) -> Iterator[str]:
    """Yield a line for each row: its values, its ratio, and whether it keeps its limit."""
    for row in rows:
        figure = benchmark.find(row.figure)
        line = line_of(figure, row)
        cells = zip(figure.sides, line.cells, strict=False)
        values = [f"{side} {cell} {figure.unit}" for side, cell in cells]
        ratio = [f"ratio {cell}" for cell in line.cells[len(figure.sides) :]]
        limit = f" ({line.limit}: {'met' if line.is_met else 'MISSED'})" if line.limit else ""
        yield f"{figure.title}, {row.subject}: {', '.join(values + ratio)}{limit}"


def positive(word: str) -> int:
    """Read a number of at least 1."""
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {word}")
    return int(word)


def _arguments(benchmark: Benchmark) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{benchmark.name}", description=benchmark.title
    )
    text = f"how often everything is measured (default: {benchmark.rounds})"
    parser.add_argument("--rounds", type=positive, default=benchmark.rounds, help=text)
    text = f"how long it measures on a quiet machine, at most (default: {benchmark.minutes:g})"
    parser.add_argument("--minutes", type=float, default=benchmark.minutes, help=text)
    text = f"its time limit in minutes (default: {PATIENCE:g} times as long)"
    parser.add_argument("--limit", type=float, help=text)
    text = "the folder for the result (default: benchmarks/results)"
    parser.add_argument("--out", type=Path, default=measurements.RESULTS, help=text)
    return parser.parse_args()


@contextmanager
def _signals(seconds: float) -> Iterator[None]:
    """Raise an exception at an interruption, and when the time is over.

    Each ends the benchmark through its `finally` blocks, which remove containers and images.
    """

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        ignore()
        raise Interrupted

    def expire(_signal: int, _frame: FrameType | None) -> None:
        ignore()
        raise OutOfTime

    def ignore() -> None:
        for number in handlers:
            signal.signal(number, signal.SIG_IGN)

    handlers = {signal.SIGINT: interrupt, signal.SIGTERM: interrupt, signal.SIGALRM: expire}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
