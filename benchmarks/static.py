"""Compare the static checks with hadolint: of one file, and of a batch.

One file: both as processes, from start to exit. A batch: every static check of many answers in one
process, and one call of hadolint with the same Dockerfiles.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import command
from benchmarks.parser import hadolint
from benchmarks.rounds import Case, run_program
from workshop.analysis import source, starter
from workshop.core.errors import UserError
from workshop.core.paths import ROOT
from workshop.grading import grade
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.rounds import Rounds

TASK = course.task("task-2")
ANSWERS = 200


def write_answers(folder: Path) -> list[Path]:
    """Write answers to the task, no two of them equal; return their folders."""
    folders = [folder / f"learner-{number:03}" for number in range(ANSWERS)]
    for number, place in enumerate(folders):
        place.mkdir()
        starter.copy_missing(TASK, place)
        starter.copy_solution(TASK, place)
        with (place / TASK.answer[0]).open("a", encoding="utf-8") as file:
            file.write(f"# learner {number}\n")
    return folders


def grade_all(folders: Sequence[Path]) -> dict[str, float]:
    """Return the seconds of the static checks of all answers, which must pass."""
    start = time.perf_counter()
    verdicts = [grade.static(source.find(TASK, folder)) for folder in folders]
    seconds = time.perf_counter() - start
    if failed := sum(any(r.outcome == "failed" for r in v.results) for v in verdicts):
        found = f"{failed} of {len(folders)} copies of its reference solution fail"
        raise UserError(TASK.name, found, f"See why with: workshop check {TASK.name} --static")
    return {"batch": seconds}


def measure(rounds: Rounds) -> None:
    """Compare one file and a batch, in turn."""
    program = hadolint()
    with tempfile.TemporaryDirectory() as made:
        folders = write_answers(Path(made))
        files = [folder / TASK.answer[0] for folder in folders]
        lint = (program, "--no-fail", files[0])
        lint_all = (program, "--no-fail", *files)
        check = (sys.executable, "-m", "workshop", "check", TASK.name, folders[0], "--static")
        batch = f"{ANSWERS} answers"
        rounds.compare(
            [
                Case(TASK.name, "hadolint", lambda: {"one": run_program(lint)[0]}),
                Case(
                    TASK.name,
                    "check --static",
                    lambda: {"one": run_program(check, cwd=ROOT)[0]},
                ),
                Case(batch, "hadolint", lambda: {"batch": run_program(lint_all)[0]}),
                Case(batch, "check --static", lambda: grade_all(folders)),
            ]
        )


if __name__ == "__main__":
    sys.exit(command.main("static", measure))
