"""Known answers, which an engine must grade rightly before its verdicts count."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from workshop.analysis import starter
from workshop.cohort.run import Graded, ungradable
from workshop.cohort.submission import Learner, Submission
from workshop.core.process import own_folder
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from workshop.model import Task

    Grade = Callable[[Submission], Graded]
    Make = Callable[[Task, Path], None]

_BREAK = "\nRUN false\n"
_LEARNER = Learner("canary")


class Canaries:
    """Proves an engine, task by task: a right answer must pass, and a broken one must fail.

    After an error of the engine, each task has to be proven again. `proven` names tasks that need
    no proof before. Several threads may use it at once.
    """

    def __init__(self, proven: Iterable[str] = ()) -> None:
        self._proven, self._errors = {*proven}, 0
        self._lock, self._one_proof = threading.Lock(), threading.Lock()

    def guard(self, grade: Grade, submission: Submission) -> Graded:
        """Grade a submission; the result says so if the engine is not proven, or no longer."""
        if failed := self._prove(grade, submission.task):
            return failed
        graded = grade(submission)
        if graded.engine_failed:
            with self._lock:
                self._errors += 1
                self._proven.clear()
            return graded
        # An error of the engine beside this submission may have changed its verdict, too.
        return self._prove(grade, submission.task) or graded

    def _prove(self, grade: Grade, task: str) -> Graded | None:
        """Return what is wrong with the engine; None if it is proven for this task."""
        with self._one_proof:
            while task not in self._proven:
                errors = self._errors
                for outcome, make in KNOWN.items():
                    if failed := _try(grade, task, outcome, make):
                        return failed
                with self._lock:
                    if errors == self._errors:
                        self._proven.add(task)
        return None


def _try(grade: Grade, task: str, outcome: str, make: Make) -> Graded | None:
    """Grade a known answer; return None if it has the right outcome."""
    with own_folder() as folder:
        make(course.task(task), folder)
        graded = grade(Submission(_LEARNER, task, folder, "", "canary"))
    found = graded.document["outcome"]
    if found == outcome:
        return None
    if found == "ungradable":
        return Graded(graded.document, engine_failed=True, is_tried=False)
    reason = f"a known answer to {task} {found}, although it should have {outcome}"
    return Graded(ungradable(task, reason), engine_failed=True, is_wrong=True, is_tried=False)


def lay_out_broken(task: Task, folder: Path) -> None:
    """Write an answer whose last build step fails; without a Dockerfile, write no answer."""
    starter.copy_solution(task, folder)
    files = [folder / path for path in task.answer]
    dockerfiles = [file for file in files if file.name.startswith("Dockerfile")]
    for file in dockerfiles:
        file.write_text(file.read_text(encoding="utf-8") + _BREAK, encoding="utf-8")
    for file in () if dockerfiles else files:
        file.unlink()


# The outcome of each known answer, and what writes it into a folder.
KNOWN: dict[str, Make] = {"passed": starter.copy_solution, "failed": lay_out_broken}
