"""`feedback/LEARNER.md`: what each learner should read, as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workshop.cohort.exports.files import write_for_learners
from workshop.cohort.exports.text import (
    checks,
    describe_marks,
    failures,
    markdown,
    markdown_block,
    place,
    some_lines,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from workshop.cohort.row import Row


def write(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write one file for each learner, and remove those of learners who are gone."""
    return write_for_learners(rows, folder / "feedback", "*.md", format_feedback)


def format_feedback(rows: Sequence[Row]) -> str:
    """Return what one learner should read. Flags are for instructors: they name other learners."""
    return "\n".join(_lines(rows)) + "\n"


def _lines(rows: Sequence[Row]) -> Iterator[str]:
    learner = rows[0].learner
    yield f"# {markdown(learner.name or learner.id)}"
    for row in rows:
        yield from ("", f"## {markdown(row.task)}", "", f"**{markdown(describe_marks(row))}**")
        if row.handed_in:
            yield from ("", f"Submitted: {markdown(row.handed_in)}")
        if row.comment:
            yield from ("", *(f"> {markdown(line)}" for line in some_lines(row.comment)))
        yield from _checks(row)


def _checks(row: Row) -> Iterator[str]:
    failed = failures(row)
    for check in failed:
        yield from ("", *_failure(check))
    if not failed and row.outcome == "passed":
        yield from ("", "Every check passed.")
    if skipped := sum(check.get("outcome") == "skipped" for check in checks(row)):
        could = "check" if skipped == 1 else "checks"
        yield from ("", f"{skipped} {could} could not run because of these failures.")


def _failure(check: dict[str, Any]) -> Iterator[str]:
    yield f"### {markdown(check.get('title') or check.get('id'))}"
    yield from ("", f"0 of {check.get('max_points', 0)} points", "", "Actual:", "")
    yield markdown_block(check.get("actual") or "")
    parts = (
        ("Expected", check.get("expected")),
        ("Where", place(check)),
        ("Why", check.get("why")),
        ("Hint", check.get("hint")),
        ("Lesson", check.get("lesson")),
    )
    for label, text in parts:
        if text:
            yield from ("", f"{label}: {markdown(text)}")
