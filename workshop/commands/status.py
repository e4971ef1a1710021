"""The command `status`: where a learner is, and what is next."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.commands import exercises as folders
from workshop.commands import progress
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workshop.commands.progress import Progress
    from workshop.core.process import SubprocessRunner

COLUMNS = 80
_LABEL = 9


def show_status(exercises: Path, engine: str) -> int:
    """Print the last task, its state and what is next; `engine` describes the engine."""
    rows = progress.read(exercises)
    for label, text in (*_describe(exercises, rows), ("Engine", engine)):
        head, after = f"{label}:".ljust(_LABEL), " " * _LABEL
        for line in textwrap.wrap(
            text, COLUMNS, initial_indent=head, subsequent_indent=after, break_on_hyphens=False
        ):
            print(line)
    return 0


def describe_engine(run: SubprocessRunner) -> str:
    """Say whether a Docker engine answers."""
    from workshop.engine import Engine

    info = Engine(run).info()
    if info is None:
        return "none answers: make up starts one; see also workshop doctor"
    return f"Docker {info.version} answers"


def _describe(exercises: Path, rows: Mapping[str, Progress]) -> Iterator[tuple[str, str]]:
    name = progress.find_last(rows)
    folder = folders.default_folder(exercises, name) if name else exercises
    yield "Folder", _describe_folder(folder, exercises)
    yield "Task", f"{name}: {course.task(name).title}" if name else "none yet"
    if name:
        yield "State", _describe_state(rows[name])
        if rows[name].first_failure:
            yield "First", rows[name].first_failure
    if name and rows[name].state == "failed":
        yield "Next", f"workshop check {name}, or workshop hint {name}"
    else:
        yield "Next", progress.describe_next(rows) or "nothing: every task is passed"


def _describe_folder(folder: Path, exercises: Path) -> str:
    real, here = folder.resolve(), Path.cwd().resolve()
    shown = real.relative_to(exercises.resolve().parent).as_posix()
    if not real.is_dir():
        return f"{shown} (it does not exist yet)"
    return f"{shown} (you are in it)" if here.is_relative_to(real) else shown


def _describe_state(row: Progress) -> str:
    when = f"{row.time:%Y-%m-%d %H:%M}"
    if row.state == progress.STARTED:
        return f"started, not checked yet, {when}"
    tries = f"{row.tries} {'try' if row.tries == 1 else 'tries'}"
    return f"{row.state}, {row.points} of {row.max_points} points, {tries}, {when}"
