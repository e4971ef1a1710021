"""`moodle/`: a grading worksheet for each task, and a table for Moodle's grade import."""

# Sources: https://docs.moodle.org/en/Assignment_settings, "Offline grading worksheet", with the
# columns that Moodle's mod/assign/feedback/offline/importgradeslib.php reads; and
# https://docs.moodle.org/en/Grade_import, "CSV import".

from __future__ import annotations

import html
import re
from itertools import chain
from typing import TYPE_CHECKING

from workshop.cohort.exports.files import by_learner, remove_others, tasks, write_csv
from workshop.cohort.exports.text import (
    csv_cell,
    describe_marks,
    failures,
    is_graded,
    number,
    one_line,
    some_lines,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from workshop.cohort.row import Row

WORKSHEET = (
    "Identifier",
    "Full name",
    "Email address",
    "Status",
    "Grade",
    "Maximum Grade",
    "Grade can be changed",
    "Last modified (submission)",
    "Last modified (grade)",
    "Feedback comments",
)
# A folder of Moodle's "Download all submissions": the name, and the number of the participant.
_PARTICIPANT = re.compile(r"[^/]+?_(\d+)_assignsubmission_[^/]*")


def write(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write `grades.csv`, and `TASK-worksheet.csv` for the learners of a Moodle download."""
    home = folder / "moodle"
    written = [write_csv(home / "grades.csv", _grades(rows))]
    for task, indices in _participants(rows).items():
        name = re.sub(r"[^\w-]", "_", task)
        cells = (_worksheet_cells(rows[index]) for index in indices)
        written.append(write_csv(home / f"{name}-worksheet.csv", chain((WORKSHEET,), cells)))
    remove_others(home, "*.csv", written)
    return written


def _participants(rows: Sequence[Row]) -> dict[str, list[int]]:
    """Return the indices of the rows that come from a Moodle download, by task."""
    found: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        if _participant(row):
            found.setdefault(row.task, []).append(index)
    return found


def _participant(row: Row) -> str:
    """Return the number by which Moodle knows the learner in this assignment, or nothing.

    Learners choose their names and those of their files: one that looks like a participant's must
    not decide who gets the mark.
    """
    found = [match[1] for match in map(_PARTICIPANT.fullmatch, row.origin.split("/")) if match]
    return found[0] if len(found) == row.origin.count("_assignsubmission_") == 1 else ""


def _worksheet_cells(row: Row) -> tuple[object, ...]:
    return (
        f"Participant {_participant(row)}",
        csv_cell(row.learner.name),
        csv_cell(row.learner.email),
        "",
        _grade(row),
        number(row.max_score),
        "Yes",
        csv_cell(row.handed_in) or "-",
        "-",
        _feedback(row),
    )


def _grades(rows: Sequence[Row]) -> Iterator[tuple[object, ...]]:
    names = tasks(rows)
    columns = ((f"{csv_cell(name)} (Real)", f"{csv_cell(name)} (Feedback)") for name in names)
    yield "ID number", "Full name", "Email address", *(cell for pair in columns for cell in pair)
    for group in by_learner(rows):
        learner = group[0].learner
        marks = {row.task: row for row in group}
        # The number of a participant is not the ID number of a user.
        is_participant = learner.id in map(_participant, group)
        yield (
            "" if is_participant else csv_cell(learner.id),
            csv_cell(learner.name),
            csv_cell(learner.email),
            *(cell for name in names for cell in _pair(marks.get(name))),
        )


def _pair(row: Row | None) -> tuple[str, str]:
    return (_grade(row), _feedback(row)) if row else ("", "")


def _grade(row: Row) -> str:
    """Return the points; Moodle leaves a mark alone where its cell is empty."""
    return number(row.points) if is_graded(row) else ""


def _feedback(row: Row) -> str:
    """Return the comment and the failed checks as HTML, which Moodle shows in its editor."""
    lines = [describe_marks(row), *some_lines(row.comment), *map(_failure, failures(row))]
    return "<br>".join(html.escape(line) for line in lines)


def _failure(check: dict[str, object]) -> str:
    title = one_line(check.get("title") or check.get("id"))
    return f"Failed: {title}. {one_line(check.get('hint') or '')}".rstrip()
