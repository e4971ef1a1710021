"""Submissions to grade: reference solutions, valid ones in other styles, and broken ones.

`right/TASK/NAME/` contains the files of a valid answer, which replace those of the reference
solution. `broken/TASK.toml` lists changes to the reference solution, with the checks that fail:

    [[broken]]
    check = "runs-as-non-root"      # the check that must fail
    also = ["server-is-process-1"]  # checks that necessarily fail with it
    loophole = "a fake id"          # a known loophole of other graders, if it is one
    file = "Dockerfile"
    old = "USER app"                # occurs once; without `old`, `new` is the whole file
    new = "USER root"               # without `old` and `new`, the file is removed
"""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.analysis import source, starter
from workshop.grading import grade
from workshop.grading.evaluation import Evaluation
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.engine import Engine
    from workshop.grading.cache import Cache
    from workshop.model import Task, Verdict

HERE = Path(__file__).parent
CRLF_TASKS = ("greeter", "degrees-api")
TASKS = tuple(course.task(name) for name in course.TASKS)


@dataclass(frozen=True)
class Change:
    """A change of one file of the reference solution."""

    file: str
    old: str | None = None
    new: str | None = None

    def make(self, folder: Path) -> None:
        path = folder / self.file
        if self.old is None:
            path.unlink(missing_ok=True)
            if self.new is not None:
                path.write_text(self.new, encoding="utf-8")
            return
        text = path.read_text(encoding="utf-8")
        assert text.count(self.old) == 1, f"{self.file} has {text.count(self.old)} of {self.old!r}"
        path.write_text(text.replace(self.old, self.new or ""), encoding="utf-8")


@dataclass(frozen=True)
class Broken:
    """A wrong answer, the check that must fail, and those that fail with it."""

    task: Task
    name: str
    check: str
    also: frozenset[str]
    changes: tuple[Change, ...]
    loophole: str = ""

    def lay_out(self, folder: Path) -> None:
        """Write the changed reference solution into a folder."""
        lay_out_answer(self.task, folder)
        for change in self.changes:
            change.make(folder)


@dataclass(frozen=True)
class Right:
    """A valid answer in another style.

    Its files are in `folder`; without one, it is the reference solution with CRLF line endings.
    """

    task: Task
    name: str
    folder: Path | None


def broken() -> list[Broken]:
    """Return the wrong answers of all tasks."""
    found = []
    for task in TASKS:
        file = HERE / "broken" / f"{task.name}.toml"
        rows = tomllib.loads(file.read_text(encoding="utf-8"))["broken"] if file.exists() else []
        for number, row in enumerate(rows, 1):
            changes = row.get("changes") or [
                {key: row[key] for key in ("file", "old", "new") if key in row}
            ]
            found.append(
                Broken(
                    task,
                    f"{task.name}-{number}-{row['check']}",
                    row["check"],
                    frozenset(row.get("also", ())),
                    tuple(Change(**change) for change in changes),
                    row.get("loophole", ""),
                )
            )
    return found


def right() -> list[Right]:
    """Return the valid answers of all tasks."""
    found = [
        Right(task, folder.name, folder)
        for task in TASKS
        for folder in sorted((HERE / "right" / task.name).glob("*/"))
    ]
    return found + [Right(task, "crlf", None) for task in TASKS if task.name in CRLF_TASKS]


def lay_out_answer(task: Task, folder: Path) -> None:
    """Write the starter and the reference solution into a folder."""
    starter.copy_missing(task, folder)
    starter.copy_solution(task, folder)


def lay_out_right(example: Right, folder: Path) -> None:
    """Write the starter and a valid answer into a folder."""
    lay_out_answer(example.task, folder)
    if example.folder:
        shutil.copytree(example.folder, folder, dirs_exist_ok=True)
        return
    for file in example.task.answer:
        if not file.endswith(".txt"):
            path = folder / file
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def grader(engine: Engine, cache: Cache) -> Callable[[Task, Path], Verdict]:
    """Return a function that grades a folder for a task, as `workshop check` does."""

    def grade_once(task: Task, folder: Path) -> Verdict:
        with Evaluation(engine, source.find(task, folder), cache) as evaluation:
            return grade.full(evaluation)

    def judge(task: Task, folder: Path) -> Verdict:
        verdict = grade_once(task, folder)
        if verdict.outcome == "passed":
            return verdict
        # Like the command: other tests can slow a server down.
        again = grade_once(task, folder)
        return again if again.outcome == "passed" else verdict

    return judge


def describe(verdict: Verdict) -> str:
    """Return the results that did not pass, as a test's message."""
    return "\n".join(
        f"{r.outcome}: {r.check.id}: {r.actual} (expected: {r.expected})"
        for r in verdict.results
        if r.outcome != "passed"
    )
