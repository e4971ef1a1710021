"""Manual marks and comments: the file `overrides.toml` in the folder of marks.

An entry names a learner and a task:

    [anna.task-5]
    points = 20
    comment = "Handed in on paper."
"""

from __future__ import annotations

import math
import tomllib
from typing import TYPE_CHECKING, NamedTuple

from workshop.core.errors import UserError
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "overrides.toml"
_FIELDS = {"points", "comment"}
_EXAMPLE = 'Write, for example: [anna.task-5] and below it points = 20 or comment = "..."'


class Override(NamedTuple):
    """The points that replace those of the verdict, or None, and a comment, which may be empty."""

    points: float | None = None
    comment: str = ""


Overrides = dict[tuple[str, str], Override]


def read(folder: Path) -> Overrides:
    """Read the overrides by learner's id and task; raise `UserError` about a wrong entry."""
    file = folder / NAME
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(str(file), reason, "Fix that line") from None
    found: Overrides = {}
    for learner, tasks in document.items():
        if not isinstance(tasks, dict):
            raise UserError(str(file), f"{learner} has no task", _EXAMPLE)
        for task, fields in tasks.items():
            found[learner, task] = _parse(file, f"[{learner}.{task}]", task, fields)
    return found


def _parse(file: Path, entry: str, task: str, fields: object) -> Override:
    if not isinstance(fields, dict):
        raise UserError(str(file), f"{entry} is not a table", _EXAMPLE)
    if task not in course.TASKS:
        fix = f"The tasks are: {', '.join(course.TASKS)}. Quote an id that has a dot"
        raise UserError(str(file), f"{entry}: no task '{task}'", fix)
    if unknown := sorted(fields.keys() - _FIELDS):
        raise UserError(str(file), f"{entry}: no field '{unknown[0]}'", _EXAMPLE)
    comment = fields.get("comment", "")
    if not isinstance(comment, str):
        raise UserError(str(file), f"{entry}: the comment is not a text", _EXAMPLE)
    return Override(_points(file, entry, course.task(task).max_score, fields), comment)


def _points(file: Path, entry: str, most: int, fields: Mapping[str, object]) -> float | None:
    points = fields.get("points")
    if points is None:
        return None
    if isinstance(points, bool) or not isinstance(points, int | float) or math.isnan(points):
        raise UserError(str(file), f"{entry}: points = {points}", "Write a number of points")
    if not 0 <= points <= most:
        raise UserError(str(file), f"{entry}: points = {points}", f"Write 0 to {most} points")
    return points
