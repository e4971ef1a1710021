"""Formats what rebuilds repeat, for `workshop cache`: a table, and the lines to swap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.core.sanitise import plain
from workshop.reports.terminal import wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.trials.rebuilds import Rebuild, Report, Step, Swap

WIDTH = 80

_COLUMN = 9
_WHAT = {
    "nothing": "nothing was edited",
    "source": "a line was added to {file}",
    "lock": "a line was added to {file}",
    "comment": "a comment was added to {file}",
}


def format_report(report: Report) -> str:
    """Return a row for each instruction and a column for each edit, `WIDTH` columns wide.

    A column has the seconds of what was repeated. Below are the swaps that were tried and help,
    with their patches.
    """
    lines = [*_table(report), "", *_legend(report), "", *_swaps(report)]
    return "\n".join([*lines, ""])


def describe_lines(step: Step) -> str:
    """Return the lines of an instruction: `line 3`, or `lines 3-5`."""
    return f"line {step.line}" if step.end == step.line else f"lines {step.line}-{step.end}"


def _table(report: Report) -> Iterator[str]:
    rebuilds = report.rebuilds
    room = WIDTH - 6 - _COLUMN * len(rebuilds)
    heads = "".join(f"{rebuild.edit.name:>{_COLUMN}}" for rebuild in rebuilds)
    yield f"{'line':>4}  {'instruction':<{room}}{heads}"
    texts = {step.line: step.text for rebuild in rebuilds for step in rebuild.steps}
    for line in sorted(texts):
        cells = "".join(f"{_cell(rebuild, line):>{_COLUMN}}" for rebuild in rebuilds)
        yield f"{line:>4}  {_fit(texts[line], room)}{cells}"
    whole = "".join(f"{_whole(rebuild):>{_COLUMN}}" for rebuild in rebuilds)
    yield f"{'':>4}  {'the whole docker build':<{room}}{whole}"


def _whole(rebuild: Rebuild) -> str:
    return "failed" if rebuild.failure else f"{rebuild.seconds:.1f} s"


def _cell(rebuild: Rebuild, line: int) -> str:
    step = next((step for step in rebuild.steps if step.line == line), None)
    if step is None:
        return ""
    return "cached" if step.cached else f"{step.seconds:.1f} s"


def _fit(text: str, room: int) -> str:
    safe = " ".join(plain(text).split())
    return f"{safe if len(safe) < room else f'{safe[: room - 4].rstrip()}...':<{room}}"


def _legend(report: Report) -> Iterator[str]:
    for rebuild in report.rebuilds:
        what = _WHAT[rebuild.edit.name].format(file=plain(rebuild.edit.file))
        if rebuild.failure:
            failure = plain(rebuild.failure.splitlines()[0])
            yield from wrap(f"{rebuild.edit.name}: {what}; the build failed: {failure}.", WIDTH)
            continue
        repeated = [describe_lines(step) for step in rebuild.repeated]
        result = f"repeats {', '.join(repeated)}" if repeated else "everything is cached"
        yield from wrap(f"{rebuild.edit.name}: {what}; {result}.", WIDTH)


def _swaps(report: Report) -> Iterator[str]:
    if not report.swaps:
        yield from wrap("No swap of lines was found that spares a step.", WIDTH)
    for number, swap in enumerate(report.swaps, 1):
        yield from wrap(f"{number}. {_describe(swap)}", WIDTH)
        yield ""
        yield from (plain(line) for line in swap.patch.splitlines())
        yield ""
    if len(report.swaps) > 1:
        yield "Each patch applies after those above it."


def _describe(swap: Swap) -> str:
    spared = f"{swap.spared:.1f} s"
    if swap.moved:
        what = f"Swap lines {swap.over} and {swap.moved}: move line {swap.moved} above {swap.over}."
        reused = f"line {swap.moved} stays in the cache, which took {spared}"
    else:
        what = f"List {plain(swap.edit.file)} in the ignore file: it is copied into the image."
        reused = f"everything stays in the cache, of which {spared} were repeated"
    return (
        f"{what} Tried with the edit of the {swap.edit.name}: {reused}, and every check that "
        "passed still passes."
    )
