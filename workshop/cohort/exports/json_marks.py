"""`marks.json`: all marks with their verdicts, schema `workshop/marks/v1`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from workshop.cohort.exports.files import tasks, write_pieces
from workshop.cohort.exports.text import is_graded, one_line, some_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from workshop.cohort.row import Row

SCHEMA = "workshop/marks/v1"
_MOST_LINES = 1000


def write(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write `marks.json`, one mark after the other."""
    return [write_pieces(folder / "marks.json", _pieces(rows))]


def _pieces(rows: Sequence[Row]) -> Iterator[str]:
    names = json.dumps([one_line(task) for task in tasks(rows)], ensure_ascii=False)
    yield f'{{\n"schema": "{SCHEMA}",\n"tasks": {names},\n"marks": ['
    for number, row in enumerate(rows):
        yield ",\n" if number else "\n"
        yield json.dumps(_mark(row), indent=1, ensure_ascii=False)
    yield "\n]\n}\n"


def _mark(row: Row) -> dict[str, Any]:
    graded = is_graded(row)
    return {
        "learner": {key: one_line(value) for key, value in row.learner._asdict().items()},
        "task": one_line(row.task),
        "outcome": one_line(row.outcome),
        "points": row.points if graded else None,
        "max_points": row.max_score,
        "percent": row.percent if graded else None,
        "score": row.score if row.outcome != "ungradable" else None,
        "override": row.override,
        "comment": _safe(row.comment),
        "flags": [one_line(flag) for flag in row.flags],
        "handed_in": one_line(row.handed_in),
        "origin": one_line(row.origin),
        "digest": one_line(row.digest),
        "verdict": _safe(row.document),
    }


def _safe(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Return a JSON value with safe texts."""
    if isinstance(value, str):
        return "\n".join(some_lines(value, _MOST_LINES))
    if isinstance(value, dict):
        return {one_line(key): _safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_safe(item) for item in value]
    return value
