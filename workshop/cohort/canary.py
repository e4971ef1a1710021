"""Known answers, which an engine must grade rightly before its verdicts count."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.cohort.run import Graded, ungradable
from workshop.cohort.submission import Learner, Submission
from workshop.core.paths import ROOT
from workshop.core.process import FOLDER_PREFIX
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Grade = Callable[[Submission], Graded]

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
                for outcome, make in (("passed", lay_out_right), ("failed", lay_out_broken)):
                    if failed := _try(grade, task, outcome, make):
                        return failed
                with self._lock:
                    if errors == self._errors:
                        self._proven.add(task)
        return None


def _try(grade: Grade, task: str, outcome: str, make: Callable[[str, Path], None]) -> Graded | None:
    """Grade a known answer; return None if it has the right outcome."""
    # Found by its name, and removed, if this process is killed.
    with tempfile.TemporaryDirectory(prefix=f"{FOLDER_PREFIX}{os.getpid()}-") as folder:
        make(task, Path(folder))
        graded = grade(Submission(_LEARNER, task, Path(folder), "", "canary"))
    found = graded.document["outcome"]
    if found == outcome:
        return None
    if found == "ungradable":
        return Graded(graded.document, engine_failed=True, is_tried=False)
    reason = f"a known answer to {task} {found}, although it should have {outcome}"
    return Graded(ungradable(task, reason), engine_failed=True, is_wrong=True, is_tried=False)


def lay_out_right(task: str, folder: Path) -> None:
    """Write the answer of the course into a folder; the grader adds the files of the starter."""
    found = course.task(task)
    for path in found.answer:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / found.folder / path, target)


def lay_out_broken(task: str, folder: Path) -> None:
    """Write an answer whose last build step fails; without a Dockerfile, write no answer."""
    lay_out_right(task, folder)
    files = [folder / path for path in course.task(task).answer]
    dockerfiles = [file for file in files if file.name.startswith("Dockerfile")]
    for file in dockerfiles:
        file.write_text(file.read_text(encoding="utf-8") + _BREAK, encoding="utf-8")
    for file in () if dockerfiles else files:
        file.unlink()
