"""Formats a verdict for `check --watch`: what failed, and what changed since the last run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.model import NOT_CHECKED, Outcome
from workshop.reports import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.model import Result, Verdict

Line = tuple[str, str]


def format_lines(verdict: Verdict, before: Verdict | None, columns: int, rows: int) -> list[Line]:
    """Return the lines of the verdict with their styles, and the changes since `before`.

    Failures that do not fit into `rows` have one line each, except for the first.
    """
    shown = [r for r in verdict.results if r.outcome in {Outcome.FAILED, Outcome.ERROR}]
    lines: list[Line] = []
    for detailed in range(len(shown), -1, -1):
        lines = [*_format(verdict, before, columns, shown, detailed)]
        if len(lines) <= rows or detailed == 1:
            break
    return lines


def _format(
    verdict: Verdict, before: Verdict | None, columns: int, shown: list[Result], detailed: int
) -> Iterator[Line]:
    yield from _styled(terminal.describe_task(verdict.task), columns, "bold")
    yield "", ""
    for number, result in enumerate(shown):
        detail = terminal.Detail.BRIEF if number < detailed else terminal.Detail.TITLE
        yield from terminal.format_result(result, columns, detail)
    yield from terminal.format_not_run(verdict, columns)
    for line in _count(verdict):
        yield from _styled(line, columns, "dim", indent=2)
    yield "", ""
    if before:
        yield from _format_changes(before, verdict, columns)
    style = "bold green" if verdict.outcome == "passed" else "bold"
    yield from _styled(terminal.summarise(verdict), columns, style)


def _count(verdict: Verdict) -> Iterator[str]:
    passed = sum(result.outcome is Outcome.PASSED for result in verdict.results)
    yield f"{passed} {'check' if passed == 1 else 'checks'} passed."
    if warnings := len(verdict.lint_warnings):
        kind = "hadolint warning" if warnings == 1 else "hadolint warnings"
        yield f"{warnings} {kind} (no points): see workshop check {verdict.task.name} --static"


def _format_changes(before: Verdict, now: Verdict, columns: int) -> Iterator[Line]:
    failed_before = {r.check.id for r in before.results if r.outcome is Outcome.FAILED}
    for result in now.results:
        title, failed = result.check.title, result.outcome is Outcome.FAILED
        # The text of an answer cannot pass a check that needs a build: it only no longer fails.
        fixed = result.outcome is Outcome.PASSED or _is_clean(result)
        if fixed and result.check.id in failed_before:
            yield from _styled(f"Fixed: {title}", columns, "green")
        elif failed and result.check.id not in failed_before:
            yield from _styled(f"New: {title}", columns, "red")


def _is_clean(result: Result) -> bool:
    """Whether a check was skipped although nothing is wrong."""
    return result.outcome is Outcome.SKIPPED and not result.actual.startswith(NOT_CHECKED)


def _styled(text: str, columns: int, style: str, indent: int = 0) -> Iterator[Line]:
    for line in terminal.wrap(text, columns - indent):
        yield " " * indent + line, style
