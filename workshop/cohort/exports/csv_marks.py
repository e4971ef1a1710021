"""The table of marks, `marks.csv`."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from workshop.cohort.row import Row

NAME = "marks.csv"
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
# A spreadsheet takes a cell that begins like this as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write a line for each mark; flags are separated by semicolons.

    Points and percent are empty where nothing could be graded. The file is replaced at
    once: a full disk leaves the one before.
    """
    file, draft = folder / NAME, folder / f"{NAME}.draft"
    with draft.open("w", encoding="utf-8", newline="") as opened:
        table = csv.writer(opened, lineterminator="\n")
        table.writerow(COLUMNS)
        for row in rows:
            table.writerow(_cells(row))
    draft.replace(file)
    return [file]


def _cells(row: Row) -> tuple[object, ...]:
    is_graded = row.outcome != "ungradable" or row.override is not None
    return (
        _text(row.learner.id),
        _text(row.learner.name),
        row.task,
        f"{row.points:g}" if is_graded else "",
        row.max_score,
        row.percent if is_graded else "",
        row.outcome,
        _text("; ".join(row.flags)),
        _text(row.comment),
    )


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
