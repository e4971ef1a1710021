"""`canvas.csv`: the marks as the import of Canvas's gradebook reads them."""

# Sources: https://community.canvaslms.com/t5/Instructor-Guide/
# How-do-I-import-grades-in-the-Gradebook/ta-p/807, and the header that Canvas's
# lib/gradebook_importer.rb accepts.

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.cohort.exports.files import by_learner, write_csv
from workshop.cohort.exports.text import csv_cell, is_graded, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from workshop.cohort.row import Row
    from workshop.cohort.submission import Learner

COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
POINTS_POSSIBLE = "Points Possible"
# A file of Canvas's "Download Submissions": the name, the id of the user, that of the submission.
_USER = re.compile(r"(?:^|/)[^_/]+(?:_(?:LATE|late))?_(\d+)_\d+_")


def write(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write `canvas.csv`, with one column for each task."""
    return [write_csv(folder / "canvas.csv", _table(rows))]


def _table(rows: Sequence[Row]) -> Iterator[tuple[object, ...]]:
    points: dict[str, int] = {}
    for row in rows:
        points[row.task] = max(points.get(row.task, 0), row.max_score)
    yield *COLUMNS, *map(csv_cell, points)
    yield f"    {POINTS_POSSIBLE}", "", "", "", "", *map(number, points.values())
    for group in by_learner(rows):
        marks = {row.task: _mark(row) for row in group}
        yield *_student(group), "", *(marks.get(name, "") for name in points)


def _mark(row: Row) -> str:
    """Return the points; Canvas leaves a mark alone where its cell is empty."""
    return number(row.points) if is_graded(row) else ""


def _student(rows: Sequence[Row]) -> tuple[str, str, str, str]:
    """Return name, Canvas id, SIS id and login: Canvas looks for them from the second on.

    The id of a learner counts as Canvas's only if the download says so: a number from somewhere
    else could be the Canvas id of another student.
    """
    learner = rows[0].learner
    known = {found[1] for row in rows if (found := _USER.search(row.origin))}
    if known == {learner.id}:
        return _name(learner), learner.id, "", csv_cell(learner.email)
    return _name(learner), "", csv_cell(learner.id), csv_cell(learner.email or learner.id)


def _name(learner: Learner) -> str:
    """Return the name, but never one that makes this line the one of the points possible."""
    return next(
        (
            cell
            for cell in (csv_cell(learner.name), csv_cell(learner.id))
            if cell and POINTS_POSSIBLE not in cell
        ),
        "",
    )
