"""A made-up class, and a grader that needs no engine."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workshop.cohort.run import Graded, Worker, grade_all, plan
from workshop.cohort.store import NAME
from workshop.cohort.submission import Learner, Submission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from workshop.cohort.run import Job
    from workshop.cohort.store import Store

TASK = "baby-steps"
FOLDER = Path("/submissions")
MOST = 13


def submission(learner: str, content: str = "", task: str = TASK) -> Submission:
    """Return what a learner handed in; by default, each learner has other files."""
    digest = hashlib.sha256((content or learner).encode()).hexdigest()
    return Submission(Learner(learner), task, FOLDER / learner, digest, learner)


def submissions(count: int) -> list[Submission]:
    return [submission(f"learner-{number:05}") for number in range(count)]


def hand_in(folder: Path, comment: str, dockerfile: str = "FROM ubuntu:24.04") -> None:
    """Write a submission for `TASK`; another comment makes another submission."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Dockerfile").write_text(f"{dockerfile}\n# {comment}\n", encoding="utf-8")


def exports(out: Path) -> dict[str, bytes]:
    """Return the files in a folder of marks that are written for people and for gradebooks."""
    files = {str(file.relative_to(out)): file for file in sorted(out.rglob("*"))}
    return {
        path: file.read_bytes()
        for path, file in files.items()
        if file.is_file() and not path.startswith((NAME, "grading.lock", "extracted/"))
    }


def document(score: int = MOST, note: str = "", **fields: Any) -> dict[str, Any]:
    """Return the JSON document of a verdict."""
    outcome = "ungradable" if note else "passed" if score == MOST else "failed"
    marks = {"task": TASK, "outcome": outcome, "score": score, "max_score": MOST, "note": note}
    return {"schema": "workshop/verdict/v1", **marks, "checks": [], **fields}


def grade(found: Submission) -> Graded:
    """Grade by the digest: the same files always get the same verdict."""
    return Graded(document(int(found.digest[:4], 16) % (MOST + 1), padding=found.digest * 20))


class Silent:
    """A `Watcher` that records the events of a run."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.ended: list[str] = []
        self.retried: list[str] = []
        self.aside: list[str] = []

    def start(self, job: Job) -> None:
        self.started.append(job.submissions[0].learner.id)

    def end(self, job: Job, document: dict[str, Any], left: int) -> None:  # noqa: ARG002
        self.ended.append(job.submissions[0].learner.id)

    def retry(self, job: Job, document: dict[str, Any]) -> None:  # noqa: ARG002
        self.retried.append(job.submissions[0].learner.id)

    def set_aside(self, worker: str, reason: str) -> None:
        self.aside.append(f"{worker}: {reason}")


def run(  # noqa: PLR0913 - the parts of one run
    store: Store,
    found: Iterable[Submission],
    grade: Callable[[Submission], Graded] = grade,
    *,
    limit: int = 2,
    rubric: str = "",
    recover: Callable[[], bool] = lambda: True,
) -> Silent:
    """Enrol a class and grade what is missing, with a key that depends on the `rubric`."""
    keys = {one: f"{rubric} {one.task} {one.digest}" for one in found}
    store.enrol(FOLDER, keys, {one.task for one in keys})
    watcher = Silent()
    with ThreadPoolExecutor(limit) as executor:
        submit = partial(executor.submit, grade)
        worker = Worker("the Docker engine", submit, limit, recover)
        grade_all(store, plan(store, keys), lambda: [worker], watcher=watcher)
    return watcher
