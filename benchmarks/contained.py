"""Compare a warm check within the limits of a class with one of a learner's own work.

Both grade the reference solution of task 5, whose steps are cached.
"""

from __future__ import annotations

import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import command
from benchmarks.rounds import Case
from workshop.analysis import source, starter
from workshop.core.errors import UserError
from workshop.engine import Engine
from workshop.grading import grade
from workshop.grading.cache import Cache
from workshop.grading.evaluation import Evaluation
from workshop.grading.limits import CLASS, OWN
from workshop.tasks import course

if TYPE_CHECKING:
    from benchmarks.rounds import Rounds
    from workshop.grading.limits import Limits

TASK = course.task("task-5")


def check(folder: Path, cache: Cache, limits: Limits) -> dict[str, float]:
    """Return the seconds of one check; raise a `UserError` if it does not pass."""
    start = time.perf_counter()
    found = source.find(TASK, folder)
    with Evaluation(Engine(), found, cache, limits=limits, is_shared=True) as evaluation:
        verdict = grade.full(evaluation)
    seconds = time.perf_counter() - start
    if verdict.outcome != "passed":
        failed = [f"{r.check.id}: {r.actual}" for r in verdict.results if r.outcome != "passed"]
        raise UserError(TASK.name, "; ".join(failed), "Fix its reference solution, or the checks")
    return {"limits": seconds}


def measure(rounds: Rounds) -> None:
    """Check the reference solution with both limits in turn."""
    Engine().require("benchmark contained")
    with tempfile.TemporaryDirectory() as made:
        folder, cache = Path(made, "learner"), Cache(Path(made, "cache"))
        folder.mkdir()
        starter.copy_missing(TASK, folder)
        starter.copy_solution(TASK, folder)
        rounds.compare(
            [
                Case(TASK.name, "own work", partial(check, folder, cache, OWN)),
                Case(TASK.name, "class", partial(check, folder, cache, CLASS)),
            ]
        )


if __name__ == "__main__":
    sys.exit(command.main("contained", measure))
