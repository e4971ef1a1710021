"""Formats a verdict for the terminal, with or without colour, from 40 columns on."""

from __future__ import annotations

import sys
import textwrap
from collections import Counter
from enum import Enum, auto
from typing import TYPE_CHECKING

from workshop.model import NOT_CHECKED, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from workshop.model import Result, Task, Verdict

COLUMNS = 80
_INDENT = " " * 10
_LABEL = 10

# The label of each outcome, and its style.
_MARKS = {
    Outcome.PASSED: ("passed", "green"),
    Outcome.FAILED: ("FAILED", "bold red"),
    Outcome.SKIPPED: ("skipped", "dim"),
    Outcome.ERROR: ("ERROR", "bold magenta"),
}


class Detail(Enum):
    """How much to print of a failure: everything, no explanation, or its title only."""

    FULL = auto()
    BRIEF = auto()
    TITLE = auto()


def format_lines(verdict: Verdict, columns: int = COLUMNS) -> Iterator[tuple[str, str]]:
    """Yield each line of the verdict with its style, which is empty for plain text."""
    yield from ((line, "bold") for line in wrap(describe_task(verdict.task), columns))
    yield "", ""
    for result in verdict.results:
        if not result.actual.startswith(NOT_CHECKED):
            yield from format_result(result, columns)
    yield from format_not_run(verdict, columns)
    yield from _lint_warnings(verdict, columns)
    yield "", ""
    for line in wrap(summarise(verdict), columns):
        yield line, "bold green" if verdict.outcome == "passed" else "bold"
    if failed := verdict.first_failure:
        yield from ((line, "") for line in wrap(f"First: {describe(failed)}", columns))


def describe_task(task: Task) -> str:
    """Return the name and the title of a task."""
    return f"{task.name}: {task.title}"


def describe(result: Result) -> str:
    """Return the title of a check, and the file and the line to change if the line is known."""
    return result.check.title + (f" ({result.file}, line {result.line})" if result.line else "")


def summarise(verdict: Verdict) -> str:
    """Summarise the verdict in one or two sentences."""
    if verdict.note:
        return f"Not graded: {verdict.note}"
    failed = sum(result.outcome is Outcome.FAILED for result in verdict.results)
    if verdict.static:
        rest = sum(
            result.outcome is Outcome.SKIPPED and not result.actual.startswith(NOT_CHECKED)
            for result in verdict.results
        )
        if failed and not rest:
            return f"{failed} failed."
        found = f"{failed} failed" if failed else "No static check failed"
        unknown = f"{rest} check{' needs' if rest == 1 else 's need'} a build"
        return f"{found}; {unknown}: run without --static."
    if verdict.outcome == "ungradable":
        return "Not graded: the kit could not run every check (see ERROR). No points are lost."
    score = f"{verdict.score} of {verdict.max_score} points"
    if verdict.outcome == "passed":
        return f"{score}: everything passed."
    return f"{score}: {failed} failed.{_explain_proportion(verdict)}"


def _explain_proportion(verdict: Verdict) -> str:
    """Say why the score is lower than the sum of the points above it."""
    if verdict.score == sum(result.points for result in verdict.results):
        return ""
    met = [result for result in verdict.results if verdict.is_already_met(result)]
    points, most = sum(r.points for r in met), sum(r.check.points for r in met)
    return (
        f" {points} of these {most} points are for requirements of the task before: they count in "
        "proportion to the points for the new ones."
    )


def print_verdict(verdict: Verdict, stream: TextIO | None = None) -> None:
    """Print a verdict, in colour if `stream` (by default, standard output) is a terminal."""
    stream = stream or sys.stdout
    if not stream.isatty():
        stream.writelines(f"{line}\n" for line, _ in format_lines(verdict))
        return
    from rich.console import Console  # noqa: PLC0415 - slow to import, and rarely needed
    from rich.text import Text  # noqa: PLC0415

    console = Console(file=stream)
    for line, style in format_lines(verdict, min(console.width, 100)):
        console.print(Text(line, style), soft_wrap=True)


def wrap(text: str, columns: int = COLUMNS) -> list[str]:
    """Return the lines of a text, none of them wider than `columns`."""
    return textwrap.wrap(text, columns, break_on_hyphens=False)


def format_result(
    result: Result, columns: int, detail: Detail = Detail.FULL
) -> Iterator[tuple[str, str]]:
    """Yield the lines of one result with their styles."""
    mark, style = _MARKS[result.outcome]
    head = f"{mark:<7} {result.points:>2}/{result.check.points} "
    wrapped = wrap(result.check.title, columns - len(head) - 2)
    for number, line in enumerate(wrapped or [""]):
        yield f"  {head if not number else ' ' * len(head)}{line}", style
    if detail is Detail.TITLE:
        return
    if result.outcome is Outcome.FAILED:
        yield from _failure(result, columns, brief=detail is Detail.BRIEF)
    elif result.actual:
        yield from _labelled("", result.actual, columns)


def format_not_run(verdict: Verdict, columns: int) -> Iterator[tuple[str, str]]:
    """Summarise the checks that were skipped because another check failed."""
    counts = Counter(r.actual for r in verdict.results if r.actual.startswith(NOT_CHECKED))
    for reason, count in counts.items():
        checks = "1 check was" if count == 1 else f"{count} checks were"
        title = reason.removeprefix(NOT_CHECKED)
        for line in wrap(f"{checks} not run, because this failed: {title}", columns - 2):
            yield f"  {line}", "dim"


def _failure(result: Result, columns: int, *, brief: bool) -> Iterator[tuple[str, str]]:
    where = f"{result.file}, line {result.line}" if result.line else result.file
    fields = (
        ("cause", result.why if result.cause else ""),
        ("actual", result.actual),
        ("expected", result.expected),
        ("where", where),
        ("why", "" if brief or result.cause else result.why),
        ("hint", result.hint),
        ("lesson", "" if brief else result.check.lesson),
    )
    for label, text in fields:
        if text:
            yield from _labelled(label, text, columns)
    yield "", ""


def _labelled(label: str, text: str, columns: int) -> Iterator[tuple[str, str]]:
    """Yield a text with its label. The lines after the first are program output."""
    first, *more = text.splitlines() or [""]
    room = columns - len(_INDENT) - _LABEL
    for number, line in enumerate(wrap(first, room) or [""]):
        yield f"{_INDENT}{label if not number else '':<{_LABEL}}{line}".rstrip(), ""
    for line in more:
        for part in textwrap.wrap(line, room - 2, subsequent_indent="  ") or [""]:
            yield f"{_INDENT}{'':<{_LABEL}}| {part}".rstrip(), "dim"


def _lint_warnings(verdict: Verdict, columns: int) -> Iterator[tuple[str, str]]:
    if not verdict.lint_warnings:
        return
    yield "", ""
    head = "  hadolint warnings, which cost no points:"
    yield from ((line, "") for line in textwrap.wrap(head, columns))
    for warning in verdict.lint_warnings:
        head = f"    line {warning.line}: "
        text = f"{warning.text} ({warning.code})"
        yield from (
            (line, "dim")
            for line in textwrap.wrap(text, columns, initial_indent=head, subsequent_indent=" " * 6)
        )
