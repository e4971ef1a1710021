"""`marks.csv`: one line for each learner and task, for a spreadsheet."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from workshop.cohort.exports.files import write_csv
from workshop.cohort.exports.text import csv_cell, is_graded, number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from workshop.cohort.row import Row

COLUMNS = (
    "learner",
    "name",
    "task",
    "points",
    "max_points",
    "percent",
    "outcome",
    "flags",
    "comment",
)


def write(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write `marks.csv`. Points and percent are empty where nothing could be graded."""
    return [write_csv(folder / "marks.csv", chain((COLUMNS,), map(_cells, rows)))]


def _cells(row: Row) -> tuple[object, ...]:
    graded = is_graded(row)
    return (
        csv_cell(row.learner.id),
        csv_cell(row.learner.name),
        csv_cell(row.task),
        number(row.points) if graded else "",
        number(row.max_score),
        row.percent if graded else "",
        csv_cell(row.outcome),
        csv_cell("; ".join(row.flags)),
        csv_cell(row.comment),
    )
