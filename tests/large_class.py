"""Grades a made-up class with a fake grader: `large_class.py FOLDER COUNT`, for the memory tests.

Writes every export, and prints the peak memory of the process in bytes.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import classroom

from workshop.cohort.exports import FORMATS
from workshop.cohort.run import Graded
from workshop.cohort.store import Store
from workshop.model import Outcome, Result, Verdict
from workshop.reports import json
from workshop.tasks import course

# In KiB on Linux.
UNIT = 1024


def grade(found):
    """Grade by the digest: half of the submissions pass; each of the others failed differently."""
    task = course.task(classroom.TASK)
    outcome = Outcome(("passed", "failed")[int(found.digest[0], 16) % 2])
    actual = "" if outcome is Outcome.PASSED else f"step RUN {found.digest} failed" * 4
    results = (Result(check, outcome, actual, "a build that succeeds") for check in task.checks)
    return Graded(json.document(Verdict(task, tuple(results))))


def main(folder: Path, count: int) -> None:
    with Store(folder) as store:
        classroom.run(store, classroom.submissions(count), grade)
        rows = store.rows()
        for write in FORMATS.values():
            write(rows, folder)
    sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
