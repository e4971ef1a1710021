"""A verdict to read: the same words with colour and without, at any width from 40 columns on."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

from workshop.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from workshop.model import Result, Verdict

COLUMNS = 80
_INDENT = " " * 10
_LABEL = 10

# What stands before a result, and its colour.
_MARKS = {
    Outcome.PASSED: ("passed", "green"),
    Outcome.FAILED: ("FAILED", "bold red"),
    Outcome.SKIPPED: ("skipped", "dim"),
    Outcome.ERROR: ("ERROR", "bold magenta"),
}


def lines(verdict: Verdict, columns: int = COLUMNS) -> Iterator[tuple[str, str]]:
    """The verdict line by line: each with its style, which is empty for plain text."""
    yield f"{verdict.task.name}: {verdict.task.title}", "bold"
    yield "", ""
    for result in verdict.results:
        yield from _result(result, columns)
    yield from _lint_warnings(verdict, columns)
    yield "", ""
    for line in textwrap.wrap(summary(verdict), columns):
        yield line, "bold green" if verdict.outcome == "passed" else "bold"


def summary(verdict: Verdict) -> str:
    """The whole of it in a sentence or two."""
    if verdict.note:
        return f"Not graded: {verdict.note}"
    failed = sum(result.outcome is Outcome.FAILED for result in verdict.results)
    if verdict.static:
        rest = sum(result.outcome is Outcome.SKIPPED for result in verdict.results)
        found = f"{failed} found wrong by the text" if failed else "The text shows nothing wrong"
        return f"{found}; {rest} can only be told by building: leave out --static."
    if verdict.outcome == "ungradable":
        return "Not graded: the kit could not look at everything (see ERROR). No points are lost."
    said = f"{verdict.score} of {verdict.max_score} points"
    if verdict.outcome == "passed":
        return f"{said}: everything passed."
    return f"{said}: {failed} failed."


def show(verdict: Verdict, stream: TextIO | None = None) -> None:
    """Print a verdict, in colour where a terminal is there to show it."""
    paper = stream or sys.stdout
    if not paper.isatty():
        for line, _ in lines(verdict):
            paper.write(line + "\n")
        return
    from rich.console import Console  # noqa: PLC0415 - it takes longer to load than plain lines do
    from rich.text import Text  # noqa: PLC0415

    console = Console(file=paper)
    for line, style in lines(verdict, min(console.width, 100)):
        console.print(Text(line, style), soft_wrap=True)


def _result(result: Result, columns: int) -> Iterator[tuple[str, str]]:
    mark, style = _MARKS[result.outcome]
    head = f"{mark:<7} {result.points:>2}/{result.check.points} "
    wrapped = textwrap.wrap(result.check.title, columns - len(head) - 2)
    for number, line in enumerate(wrapped or [""]):
        yield f"  {head if not number else ' ' * len(head)}{line}", style
    if result.outcome is Outcome.FAILED:
        yield from _why_failed(result, columns)
    elif result.actual:
        yield from _labelled("", result.actual, columns)


def _why_failed(result: Result, columns: int) -> Iterator[tuple[str, str]]:
    yield from _labelled("actual", result.actual, columns)
    yield from _labelled("expected", result.expected, columns)
    if result.file:
        where = f"{result.file}, line {result.line}" if result.line else result.file
        yield from _labelled("where", where, columns)
    yield from _labelled("why", result.why, columns)
    yield from _labelled("hint", result.hint, columns)
    yield from _labelled("lesson", result.check.lesson, columns)
    yield "", ""


def _labelled(label: str, text: str, columns: int) -> Iterator[tuple[str, str]]:
    """A text behind its label. Further lines of it are a program's own, and stay as they are."""
    first, *more = text.splitlines() or [""]
    room = columns - len(_INDENT) - _LABEL
    for number, line in enumerate(textwrap.wrap(first, room) or [""]):
        yield f"{_INDENT}{label if not number else '':<{_LABEL}}{line}".rstrip(), ""
    for line in more:
        yield f"{_INDENT}{'':<{_LABEL}}| {line}"[:columns], "dim"


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
