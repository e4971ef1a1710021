"""Submissions to grade: the kit's own answers, right ones of other styles, and broken ones.

`right/TASK/NAME/` holds the files of a right answer, each over the kit's own.
`broken/TASK.toml` lists changes to the kit's own answer, each with the checks that it fails:

    [[broken]]
    check = "ordinary-user"         # the check that has to tell it
    also = ["first-process"]        # what cannot but fail with it
    hole = "a fake id"              # what other graders are known to fall for, if it is that
    file = "Dockerfile"
    old = "USER app"                # once in the file; left out: `new` is the whole file
    new = "USER root"               # left out: without `old` the file is removed
"""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.analysis import source, starter
from workshop.core.paths import ROOT
from workshop.grading import grade
from workshop.grading.evaluation import Evaluation
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.engine import Engine
    from workshop.grading.cache import Cache
    from workshop.model import Task, Verdict

HERE = Path(__file__).parent
TASKS = tuple(course.task(name) for name in course.TASKS)


@dataclass(frozen=True)
class Change:
    """One file of the kit's answer, made another."""

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
    """A wrong answer: the check that has to tell it, and those that fail with it."""

    task: Task
    name: str
    check: str
    also: frozenset[str]
    changes: tuple[Change, ...]
    hole: str = ""


@dataclass(frozen=True)
class Right:
    """A right answer in somebody else's style."""

    task: Task
    name: str
    folder: Path


def broken() -> list[Broken]:
    """All wrong answers of all tasks."""
    found = []
    for task in TASKS:
        file = HERE / "broken" / f"{task.name}.toml"
        rows = tomllib.loads(file.read_text(encoding="utf-8"))["broken"] if file.exists() else []
        for number, row in enumerate(rows, 1):
            changes = row.get("changes") or [
                {key: row[key] for key in ("file", "old", "new") if key in row}
            ]
            name = f"{task.name}-{number}-{row['check']}"
            also = frozenset(row.get("also", ()))
            made = tuple(Change(**change) for change in changes)
            found.append(Broken(task, name, row["check"], also, made, row.get("hole", "")))
    return found


def right() -> list[Right]:
    """All right answers of all tasks."""
    return [
        Right(task, folder.name, folder)
        for task in TASKS
        for folder in sorted((HERE / "right" / task.name).glob("*/"))
    ]


def lay_out_answer(task: Task, folder: Path) -> None:
    """The kit's own answer, with what it stands among."""
    starter.copy_missing(task, folder)
    for file in task.answer:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / task.folder / file, folder / file)


def lay_out_right(example: Right, folder: Path) -> None:
    """A right answer in place of the kit's."""
    starter.copy_missing(example.task, folder)
    shutil.copytree(example.folder, folder, dirs_exist_ok=True)
    for file in example.task.answer:
        if not (folder / file).exists():
            shutil.copyfile(ROOT / example.task.folder / file, folder / file)


def grader(engine: Engine, cache: Cache) -> Callable[[Task, Path], Verdict]:
    """Grades a folder for a task, as `workshop check` does."""

    def look(task: Task, folder: Path) -> Verdict:
        with Evaluation(engine, source.find(task, folder), cache) as evaluation:
            return grade.full(evaluation)

    def judge(task: Task, folder: Path) -> Verdict:
        verdict = look(task, folder)
        if verdict.outcome == "passed":
            return verdict
        # As the command does: a machine that is busy with other tests can make a server late.
        again = look(task, folder)
        return again if again.outcome == "passed" else verdict

    return judge


def told(verdict: Verdict) -> str:
    """What came of it, for a test's message."""
    return "\n".join(
        f"{r.outcome}: {r.check.id}: {r.actual} (expected: {r.expected})"
        for r in verdict.results
        if r.outcome != "passed"
    )
