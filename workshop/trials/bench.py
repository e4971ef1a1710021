"""The bench on which changes are tried: a copy of the exercise, the engine, and the checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis import source
from workshop.grading import grade
from workshop.grading.evaluation import Evaluation
from workshop.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from workshop.engine import Engine
    from workshop.grading.cache import Cache
    from workshop.model import Result, Task, Verdict
    from workshop.trials.draft import Draft

    # Receives BuildKit's output, and a remark for the end of the line.
    Reporters = tuple[Callable[[str], None], Callable[[str], None]]


class Observer(NamedTuple):
    """Shows what is tried: `job` opens a line with a title."""

    job: Callable[[str], AbstractContextManager[Reporters]]


class Bench(NamedTuple):
    """What trials need: the engine, the cache, the task, a folder for copies, and an observer."""

    engine: Engine
    cache: Cache
    task: Task
    folder: Path
    observer: Observer

    @property
    def exercise(self) -> Path:
        """The copy of the learner's folder."""
        return self.folder / "exercise"


class Measured(NamedTuple):
    """The size of an image in bytes, and the verdict on it; None if it was not checked."""

    size: int
    verdict: Verdict | None


def evaluate(bench: Bench, on_line: Callable[[str], None], most: int = 0) -> Measured:
    """Build the copy of the exercise, and check it unless its image has more than `most` bytes.

    With 0, check it in any case. Raises `Failed` if it does not build.
    """
    found = source.find(bench.task, bench.exercise)
    recipe = bench.task.recipes[0]
    with Evaluation(bench.engine, found, bench.cache, on_line=on_line) as evaluation:
        size = evaluation.fact("image", recipe.name).stored
        if most and size > most:
            return Measured(size, None)
        return Measured(size, grade.full(evaluation))


def lost_checks(before: Verdict | None, after: Verdict | None) -> list[Result]:
    """Return the results of the checks that passed before and do not pass any more."""
    passed = passed_checks(before)
    return [
        result
        for result in (after.results if after else ())
        if result.check.id in passed and result.outcome is not Outcome.PASSED
    ]


def passed_checks(verdict: Verdict | None) -> set[str]:
    """Return the ids of the checks that passed."""
    results = verdict.results if verdict else ()
    return {result.check.id for result in results if result.outcome is Outcome.PASSED}


def restore(before: Draft, after: Draft, exercise: Path) -> None:
    """Write the files of a draft back, and remove those that only the other one has."""
    for path in {*after.files} - {*before.files}:
        (exercise / path).unlink(missing_ok=True)
    before.write(exercise)
