"""Grades a made-up class: `killable_grader.py FOLDER COUNT`, for the kill tests.

Prints a line when it starts to grade. Appends each graded learner to `FOLDER/graded`.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import classroom

from workshop.cohort.store import Store

SECONDS_PER_SUBMISSION = 0.002


def main(folder: Path, count: int) -> None:
    found = [*classroom.submissions(count), classroom.submission("twin", "learner-00003")]
    never = threading.Event()

    def grade(one):
        with (folder / "graded").open("a") as graded:
            graded.write(f"{one.learner.id}\n")
        never.wait(SECONDS_PER_SUBMISSION)
        return classroom.grade(one)

    sys.stdout.write("opening\n")
    sys.stdout.flush()
    with Store(folder) as store:
        classroom.run(store, found, grade)
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
