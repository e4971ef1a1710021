"""Generates the page of the benchmarks and its charts, from the stored results."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from workshop.site import charts, measurements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from workshop.site.measurements import Benchmark, Figure, Result, Row

INTRODUCTION = """What the kit costs, and what it saves: each part beside what it replaces. Both
sides of a comparison run in turn on the same machine, after a first round that does not count. A
cell is the median of all rounds, with the smallest and the largest value in parentheses. The ratio
is the second column divided by the first one. `make bench` measures everything again, and writes
this page; `benchmarks/README.md` describes the method."""
CHARTS = "benchmarks"  # the folder of the charts, beside the page
NOT_MEASURED = "Not measured yet: `make bench` does."
MET, MISSED = "met", "**missed**"
GB = 10**9


@dataclass(frozen=True)
class Line:
    """A row of a table: its cells, and whether its limit is met; None without a limit."""

    subject: str
    cells: tuple[str, ...]
    limit: str
    is_met: bool | None


def parts(
    catalogue: Sequence[Benchmark] | None = None, folder: Path = measurements.RESULTS
) -> Iterator[str]:
    """Yield the page: a summary of the limits, and a section for each benchmark."""
    measured = [
        (one, measurements.read(one, folder)) for one in catalogue or measurements.catalogue()
    ]
    if any(result for _, result in measured):
        yield summary(measured)
    for benchmark, result in measured:
        yield f"## {benchmark.title}"
        yield benchmark.text.strip()
        if result is None:
            yield NOT_MEASURED
            continue
        for figure, rows in figures(benchmark, result):
            yield f"### {figure.title}"
            yield f"![{figure.title}]({chart_name(benchmark, figure)})"
            yield "\n".join(table(figure, rows))
        yield "\n".join([*(f"- {note}" for note in result.notes), "", describe(result)]).strip()


def chart_pages() -> dict[str, Callable[[], str]]:
    """Return the functions that draw the charts of all measured figures, by file name."""
    return {
        chart_name(benchmark, figure): partial(draw, figure, rows)
        for benchmark in measurements.catalogue()
        for figure, rows in figures(benchmark, measurements.read(benchmark))
    }


def figures(benchmark: Benchmark, result: Result | None) -> Iterator[tuple[Figure, list[Row]]]:
    """Yield each measured figure of a benchmark with its rows."""
    for figure in benchmark.figure:
        rows = [row for row in (result.rows if result else ()) if row.figure == figure.name]
        if rows:
            yield figure, rows


def chart_name(benchmark: Benchmark, figure: Figure) -> str:
    """Return the path of a figure's chart, relative to the page."""
    return f"{CHARTS}/{benchmark.name}-{figure.name}.svg"


def summary(measured: Sequence[tuple[Benchmark, Result | None]]) -> str:
    """Return the table of all limits, and whether each is met."""
    lines = ["| measured | of | value | limit | |", "|---|---|--:|--:|---|"]
    for benchmark, result in measured:
        for figure, rows in figures(benchmark, result):
            for line in (line_of(figure, row) for row in rows):
                if line.is_met is not None:
                    verdict = MET if line.is_met else MISSED
                    cells = (figure.title, line.subject, line.cells[-1], line.limit, verdict)
                    lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def table(figure: Figure, rows: Sequence[Row]) -> list[str]:
    """Return the lines of a figure's table in Markdown."""
    lines = [line_of(figure, row) for row in rows]
    has_limits = any(line.is_met is not None for line in lines)
    head = ["", *(f"{side}, {figure.unit}" for side in figure.sides)]
    head += ["ratio"] * (len(figure.sides) > 1) + ["limit"] * has_limits
    found = [f"| {' | '.join(head)} |", "|---|" + "--:|" * (len(head) - 1)]
    for line in lines:
        limit = [_describe_limit(line)] * has_limits
        found.append(f"| {' | '.join([line.subject, *line.cells, *limit])} |")
    return found


def line_of(figure: Figure, row: Row) -> Line:
    """Return a row's cells, its ratio, and whether it keeps its limit."""
    cells = [spread(row.values[side]) for side in figure.sides]
    value = row.median(figure.sides[-1])
    if len(figure.sides) > 1:
        # A median of zero bytes or seconds has no ratio: nothing is larger than nothing.
        first = row.median(figure.sides[0])
        value = value / first if first else float("inf")
        cells.append(number(value))
    low, high = figure.limits(row.subject)
    limit = f"at least {low:g}" if low is not None else f"at most {high:g}" if high else ""
    is_met = None if not limit else (low is None or value >= low) and (not high or value <= high)
    return Line(row.subject, tuple(cells), limit, is_met)


def draw(figure: Figure, rows: Sequence[Row]) -> str:
    """Draw a figure: a group of bars for each row, and a bar for each side."""
    groups = [
        charts.Group(row.subject, [_bar(row, s, figure) for s in figure.sides]) for row in rows
    ]
    texts = (f"{group.name}: {', '.join(bar.text for bar in group.bars)}" for group in groups)
    title = f"{figure.title}: {', '.join(figure.sides)}. {'; '.join(texts)}"
    return charts.draw_bars(title, figure.sides, groups)


def describe(result: Result) -> str:
    """Describe a run in one sentence: when, which code, where, how busy."""
    machine = result.machine
    engine = f", Docker Engine {machine.engine}" if machine.engine else ""
    rounds = max(len(values) for row in result.rows for values in row.values.values())
    return (
        f"Measured on {result.date:%Y-%m-%d at %H:%M} UTC, in {number(result.seconds)} s, with "
        f"commit `{result.commit}`{' and later changes' if result.modified else ''}; "
        f"rounds: {rounds}. {machine.cores} cores ({machine.processor}), "
        f"{machine.memory / GB:.0f} GB of memory, {machine.system}, Python {machine.python}"
        f"{engine}. Load before and after: {machine.load[0]:.1f}, {machine.load[1]:.1f}."
    )


def spread(values: Sequence[float]) -> str:
    """Return the median and the range, as `0.24 (0.20-0.27)`; of one value, only that."""
    middle = number(statistics.median(values))
    if min(values) == max(values):
        return middle
    return f"{middle} ({number(min(values))}-{number(max(values))})"


def number(value: float) -> str:
    """Return a value with three significant digits, and all digits before the point."""
    if abs(value) >= 100:  # noqa: PLR2004 - three digits
        return f"{value:,.0f}"
    text = f"{value:#.3g}"
    return text.rstrip(".") if "e" not in text else f"{value:.4f}"


def _describe_limit(line: Line) -> str:
    if line.is_met is None:
        return ""
    return f"{line.limit}: {MET if line.is_met else MISSED}"


def _bar(row: Row, side: str, figure: Figure) -> charts.Bar:
    values = row.values[side]
    middle = row.median(side)
    return charts.Bar(middle, min(values), max(values), f"{number(middle)} {figure.unit}")
