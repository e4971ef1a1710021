"""A learner's progress: a file beside the exercises, and the command `list`."""

from __future__ import annotations

import contextlib
import os
import sys
import textwrap
import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from workshop.core.errors import UserError
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from workshop.model import Task, Verdict

FILE = "progress.toml"
STARTED = "started"
_HEAD = "# Your progress, written by `workshop`. Delete this file to start over.\n"
_FIX = "Correct or delete it"
_CHECKED = {"passed", "failed"}


class Progress(NamedTuple):
    """The last full check of a task: its state, the points earned, and the number of checks.

    The state is `started` before the first check. `when` is a time in ISO 8601; `first_failure`
    describes the first check that failed.
    """

    state: str
    points: int
    max_points: int
    tries: int
    when: str
    first_failure: str = ""

    @property
    def time(self) -> datetime:
        """When the task was started or checked, in local time."""
        return datetime.fromisoformat(self.when).astimezone()


def read(exercises: Path) -> dict[str, Progress]:
    """Return the progress of each task that was checked; raise `UserError` for a damaged file."""
    file = exercises / FILE
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8"))
        found = {name: Progress(**row) for name, row in rows.items() if name in course.TASKS}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError) as error:
        raise UserError(str(file), f"it cannot be read: {error}", _FIX) from None
    for name, row in found.items():
        _validate(file, name, row)
    return found


def record(exercises: Path, verdict: Verdict) -> None:
    """Write the verdict of a full check into the file; a damaged file is kept, with a warning."""
    if verdict.static or verdict.outcome not in _CHECKED:
        return
    from workshop.reports import terminal

    failed = verdict.first_failure
    row = Progress(
        verdict.outcome,
        verdict.score,
        verdict.max_score,
        tries=1,
        when=_now(),
        first_failure=terminal.describe(failed) if failed else "",
    )
    _update(exercises, verdict.task.name, row)


def record_start(exercises: Path, task: Task) -> None:
    """Write that the task was started, unless it has been checked; a damaged file is kept."""
    _update(exercises, task.name, Progress(STARTED, 0, task.max_score, tries=0, when=_now()))


def is_tried(exercises: Path, name: str) -> bool:
    """Whether a check of the task is recorded; raise `UserError` for a damaged file."""
    rows = read(exercises)
    return name in rows and rows[name].state in _CHECKED


def find_last(rows: Mapping[str, Progress]) -> str:
    """Return the task that was started or checked last; empty if there is none."""
    return max(reversed(list(rows)), key=lambda name: rows[name].time, default="")


def describe_next(rows: Mapping[str, Progress]) -> str:
    """Return the command and the lesson of the next task; empty if every task is passed."""
    name = _find_next(rows)
    command = "check" if name in rows else "start"
    return f"workshop {command} {name} (lesson {course.task(name).lesson})" if name else ""


def show_list(exercises: Path) -> int:
    """Print every task with its state, and mark the next one."""
    rows = read(exercises)
    following = _find_next(rows)
    print("The tasks, in the order of the course:\n")
    for name in course.TASKS:
        task, row = course.task(name), rows.get(name)
        state = row.state if row else ""
        points = f"{row.points if row else 0}/{task.max_score}"
        mark = "->" if name == following else ""
        title = textwrap.shorten(task.title, 44, placeholder=" ...")
        print(f"{mark:>3} {name:<15} {state:<7} {points:>6}  {title}")
    passed = sum(_is_passed(rows, name) for name in course.TASKS)
    print(f"\n{passed} of {len(course.TASKS)} tasks passed.")
    if following:
        print(f"Next: {describe_next(rows)}")
    return 0


def _find_next(rows: Mapping[str, Progress]) -> str:
    """Return the last task if it is not passed, or else the next one in the course's order."""
    names = list(course.TASKS)
    place = names.index(find_last(rows) or names[0])
    return next((name for name in names[place:] + names[:place] if not _is_passed(rows, name)), "")


def _is_passed(rows: Mapping[str, Progress], name: str) -> bool:
    return name in rows and rows[name].state == "passed"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _update(exercises: Path, name: str, row: Progress) -> None:
    """Replace a task's row; a start keeps the row of a check. A problem is only a warning."""
    if not exercises.is_dir():
        return
    try:
        rows = read(exercises)
        before = rows.get(name)
        if row.state == STARTED and before and before.state in _CHECKED:
            return
        # The last row is the last task, also within the same second.
        rows.pop(name, None)
        rows[name] = row._replace(tries=row.tries + (before.tries if before else 0))
        _write(exercises / FILE, rows)
    except UserError as error:
        print(error, file=sys.stderr)


def _validate(file: Path, name: str, row: Progress) -> None:
    numbers: tuple[Any, ...] = (row.points, row.max_points, row.tries)
    texts: tuple[Any, ...] = (row.when, row.first_failure)
    try:
        good = row.state in {STARTED, *_CHECKED} and bool(row.time)
    except (TypeError, ValueError, OverflowError, OSError):
        good = False
    good = good and all(isinstance(number, int) for number in numbers)
    if not good or not all(isinstance(text, str) for text in texts):
        raise UserError(f"{file}, [{name}]", "it has a wrong state, number or time", _FIX)


def _write(file: Path, rows: Mapping[str, Progress]) -> None:
    """Replace the file as a whole, so that an interrupted write leaves the old one."""
    import json

    text = _HEAD
    for name, row in rows.items():
        # A JSON string or number is one of TOML too.
        values = (f"{key} = {json.dumps(value)}\n" for key, value in row._asdict().items())
        text += f"\n[{name}]\n{''.join(values)}"
    new = file.with_name(f".{FILE}.{os.getpid()}")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink()
        found = f"your progress is not recorded: {error.strerror or 'it cannot be written'}"
        raise UserError(str(file), found, "Make the folder writable") from None
