"""What a learner has done: a file beside the exercises, and the command `list`."""

from __future__ import annotations

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

    from workshop.model import Verdict

FILE = "progress.toml"
_HEAD = "# Your progress, written by `workshop check`. Delete this file to start over.\n"
_FIX = "Correct or delete it"
_STATES = {"passed", "failed"}


class Progress(NamedTuple):
    """The last full check of a task: its state, the points earned, and the number of checks."""

    state: str
    points: int
    max_points: int
    tries: int
    when: str


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
    if verdict.static or verdict.outcome not in _STATES or not exercises.is_dir():
        return
    try:
        rows = read(exercises)
        before = rows.get(verdict.task.name)
        when = datetime.now(UTC).isoformat(timespec="seconds")
        tries = (before.tries if before else 0) + 1
        rows[verdict.task.name] = Progress(
            verdict.outcome, verdict.score, verdict.max_score, tries, when
        )
        _write(exercises / FILE, rows)
    except UserError as error:
        print(error, file=sys.stderr)


def show_list(exercises: Path) -> int:
    """Print every task with its state, and mark the next one."""
    rows = read(exercises)
    tasks = [course.task(name) for name in course.TASKS]
    following = next((task for task in tasks if not _passed(rows, task.name)), None)
    print("The tasks, in the order of the course:\n")
    for task in tasks:
        row = rows.get(task.name)
        state = row.state if row else ""
        points = f"{row.points if row else 0}/{task.max_score}"
        mark = "->" if task is following else ""
        title = textwrap.shorten(task.title, 44, placeholder=" ...")
        print(f"{mark:>3} {task.name:<15} {state:<7} {points:>6}  {title}")
    passed = sum(_passed(rows, task.name) for task in tasks)
    print(f"\n{passed} of {len(tasks)} tasks passed.")
    if following:
        command = "check" if following.name in rows else "start"
        print(f"Next: workshop {command} {following.name} (lesson {following.lesson})")
    return 0


def _passed(rows: Mapping[str, Progress], name: str) -> bool:
    return name in rows and rows[name].state == "passed"


def _validate(file: Path, name: str, row: Progress) -> None:
    numbers: tuple[Any, ...] = (row.points, row.max_points, row.tries)
    if row.state not in _STATES or not all(isinstance(number, int) for number in numbers):
        raise UserError(f"{file}, [{name}]", "it has a wrong state or number", _FIX)


def _write(file: Path, rows: Mapping[str, Progress]) -> None:
    """Replace the file as a whole, so that an interrupted write leaves the old one."""
    text = _HEAD
    for name, row in rows.items():
        text += f'\n[{name}]\nstate = "{row.state}"\npoints = {row.points}\n'
        text += f'max_points = {row.max_points}\ntries = {row.tries}\nwhen = "{row.when}"\n'
    new = file.with_name(f".{FILE}.{os.getpid()}")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(file)
    except OSError as error:
        new.unlink(missing_ok=True)
        found = error.strerror or "it cannot be written"
        raise UserError(str(file), found, "Your verdict above is right all the same") from None
