"""Compare a warm check within the limits of a class with one of a learner's own work.

Run with `make bench-check`. Both grade the reference solution of task 5, whose steps are cached,
and alternate, so that load on the machine affects both. The figures are medians of wall times.
Limit: 1.15 times.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.analysis import source, starter
from workshop.engine import Engine
from workshop.grading import grade
from workshop.grading.cache import Cache
from workshop.grading.evaluation import Evaluation
from workshop.grading.limits import CLASS, OWN
from workshop.tasks import course

if TYPE_CHECKING:
    from workshop.grading.limits import Limits

TASK = course.task("task-5")
LIMIT = 1.15
ROUNDS = int(os.environ.get("ROUNDS", "9"))


def seconds(folder: Path, cache: Cache, limits: Limits) -> float:
    """Return the time of one check in seconds; exit if it does not pass."""
    start = time.perf_counter()
    with Evaluation(
        Engine(), source.find(TASK, folder), cache, limits=limits, owner="benchmark"
    ) as evaluation:
        verdict = grade.full(evaluation)
    took = time.perf_counter() - start
    if verdict.outcome != "passed":
        failed = [f"{r.check.id}: {r.actual}" for r in verdict.results if r.outcome != "passed"]
        sys.exit("\n".join(failed))
    return took


def main() -> None:
    """Check the reference solution with both limits in turn, and print the ratio."""
    with tempfile.TemporaryDirectory() as made:
        folder, cache = Path(made, "learner"), Cache(Path(made, "cache"))
        folder.mkdir()
        starter.copy_missing(TASK, folder)
        starter.copy_solution(TASK, folder)
        for limits in (CLASS, OWN):
            seconds(folder, cache, limits)
        pairs = [
            (seconds(folder, cache, CLASS), seconds(folder, cache, OWN)) for _ in range(ROUNDS)
        ]
    contained, own = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = f"{contained:.3f} s / {own:.3f} s = {contained / own:.2f} (limit {LIMIT})"
    sys.stdout.write(f"check of a class / own check: {ratio}\n")


if __name__ == "__main__":
    main()
