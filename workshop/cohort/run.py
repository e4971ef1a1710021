"""Grades what is missing in the store, on one engine or on several.

Only the submissions that are being graded are held in memory.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from workshop.core.errors import UserError
from workshop.model import LintWarning, Outcome, Result, Verdict
from workshop.reports import json
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from workshop.cohort.answer import AnswerFile
    from workshop.cohort.store import Store
    from workshop.cohort.submission import Submission
    from workshop.model import Check

MOST_FAILURES = 3
# An engine may fail for reasons that have nothing to do with the submission.
_MOST_TRIES = 2
# After this time, look whether workers have come or gone.
SECONDS_TO_LOOK = 1.0


class Graded(NamedTuple):
    """The JSON document of a verdict, and whether it is ungradable because the engine failed.

    `files` are those of the answer, as they were graded. With `is_wrong`, the engine gave a wrong
    verdict for a known answer, so none of it counts. The submission itself was not graded unless
    it `is_tried`.
    """

    document: dict[str, Any]
    engine_failed: bool = False
    files: tuple[AnswerFile, ...] = ()
    is_wrong: bool = False
    is_tried: bool = True


@dataclass(eq=False)
class Worker:
    """Grades submissions on one engine, at most `slots` at once; `name` is for messages.

    After a failure, `recover` waits for the engine, and returns whether it answers.
    """

    name: str
    submit: Callable[[Submission], Future[Graded]]
    slots: int
    recover: Callable[[], bool] = lambda: True
    failures: int = 0


class Job(NamedTuple):
    """Identical submissions, which have the same key: the first one is graded.

    `facts` is the key of the outcomes of the checks.
    """

    key: str
    submissions: tuple[Submission, ...]
    facts: str = ""
    tries: int = 0

    @property
    def name(self) -> str:
        """The first learner and the task, and how many others have the same submission."""
        first, *others = self.submissions
        more = f" and {len(others)} alike" if others else ""
        return f"{first.learner.id} {first.task}{more}"


class Watcher(Protocol):
    """Gets the events of the loop."""

    def start(self, job: Job) -> None:
        """A job was handed to the executor."""

    def end(self, job: Job, document: dict[str, Any], left: int) -> None:
        """A verdict was stored; `left` jobs are running or waiting."""

    def retry(self, job: Job, document: dict[str, Any]) -> None:
        """The engine failed; the job waits for another try."""

    def set_aside(self, worker: str, reason: str) -> None:
        """A worker is not used any longer, and others grade what it was grading."""


def plan(store: Store, keys: Mapping[Submission, str]) -> list[Job]:
    """Return what has to be graded: what has no verdict yet, and then what was ungradable."""
    groups: dict[str, list[Submission]] = {}
    for submission, key in keys.items():
        groups.setdefault(key, []).append(submission)
    outcomes = {key: store.outcome(key) for key in groups}
    jobs = [Job(key, tuple(groups[key])) for key in groups if outcomes[key] in {"", "ungradable"}]
    return sorted(jobs, key=lambda job: outcomes[job.key] != "")


def judge_again(store: Store, jobs: Iterable[Job], facts: Callable[[Submission], str]) -> list[Job]:
    """Judge from stored outcomes where only points or texts have changed; return the other jobs.

    `facts` returns the key of the outcomes of a submission.
    """
    left = []
    for job in jobs:
        known = job._replace(facts=facts(job.submissions[0]))
        found = store.find(known.facts)
        document = judge(found) if found else None
        if document:
            store.put(known.key, known.submissions[0], document, known.facts)
        else:
            left.append(known)
    return left


def judge(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the document with today's points; None if the task has other checks today."""
    task = course.task(document["task"])
    stored = {check["id"]: check for check in document["checks"]}
    if [check.id for check in task.checks] != [*stored]:
        return None
    results = tuple(_result_of(check, stored[check.id]) for check in task.checks)
    warnings = tuple(LintWarning(**warning) for warning in document["lint"])
    standins = bool(document["standin_bases"])
    return json.document(Verdict(task, results, standin_bases=standins, lint_warnings=warnings))


def _result_of(check: Check, stored: Mapping[str, Any]) -> Result:
    names = ("actual", "expected", "why", "hint", "line", "file")
    return Result(check, Outcome(stored["outcome"]), **{name: stored[name] for name in names})


def grade_all(
    store: Store,
    jobs: Iterable[Job],
    workers: Callable[[], Collection[Worker]],
    *,
    watcher: Watcher,
) -> None:
    """Grade the jobs on the workers, and store each verdict as it comes.

    `workers` returns the workers that are there, which may change. A worker whose engine fails
    `MOST_FAILURES` times in a row, does not recover, or gives a wrong verdict for a known answer,
    is set aside; raises `UserError` if none is left. After any exception, the verdicts so far are
    stored, and nothing else of the running jobs is.
    """
    _Loop(store, jobs, workers, watcher).run()


class _Loop:
    """Hands out the jobs one by one: each goes to a worker that can start it at once."""

    def __init__(
        self,
        store: Store,
        jobs: Iterable[Job],
        workers: Callable[[], Collection[Worker]],
        watcher: Watcher,
    ) -> None:
        self._store, self._waiting = store, deque(jobs)
        self._workers, self._watcher = workers, watcher
        self._running: dict[Future[Graded], tuple[Job, Worker]] = {}
        # The failures of an engine that still has other jobs: it gets no new ones until they end.
        self._failed: dict[Worker, list[tuple[Job, Graded, int]]] = {}
        self._aside: dict[Worker, str] = {}

    def run(self) -> None:
        try:
            while self._waiting or self._running:
                self._hand_out(self._usable())
                done, _ = wait(self._running, SECONDS_TO_LOOK, FIRST_COMPLETED)
                if any(future.cancelled() or future.exception() for future in done):
                    # Whether a worker was lost, or all of them, tells whose fault it is.
                    self._usable()
                for future in done:
                    # Its worker may have been set aside just now.
                    if future in self._running:
                        self._collect(future)
        finally:
            for future in self._running:
                future.cancel()

    def _usable(self) -> list[Worker]:
        """Return the workers that may grade; set aside those that are gone."""
        there = self._workers()
        for worker in {worker for _, worker in self._running.values()} - {*there}:
            self._set_aside(worker, "it is no longer connected", tries=1)
        usable = [worker for worker in there if worker not in self._aside]
        if not usable:
            raise _engine_error(self._aside)
        return usable

    def _hand_out(self, usable: Iterable[Worker]) -> None:
        """Start jobs, each on the worker with the most free slots."""
        free = {worker: worker.slots for worker in usable if worker not in self._failed}
        for _, worker in self._running.values():
            if worker in free:
                free[worker] -= 1
        while self._waiting and max(free.values(), default=0) > 0:
            worker = max(free, key=free.__getitem__)
            free[worker] -= 1
            job = self._waiting.popleft()
            self._watcher.start(job)
            self._running[worker.submit(job.submissions[0])] = job, worker

    def _collect(self, future: Future[Graded]) -> None:
        """Store a verdict, or keep a failure of the engine until its other jobs have ended."""
        job, worker = self._running.pop(future)
        graded, most = _result(future, job)
        if graded.engine_failed:
            self._failed.setdefault(worker, []).append((job, graded, most))
        else:
            self._store_verdict(job, graded)
            if worker not in self._failed:
                worker.failures = 0
        is_idle = all(other is not worker for _, other in self._running.values())
        if graded.is_wrong or (is_idle and worker in self._failed):
            self._judge(worker)

    def _judge(self, worker: Worker) -> None:
        """Try the failed jobs of a worker again, or set it aside.

        An engine that stops fails every running job, which is one failure.
        """
        failed = self._failed.pop(worker)
        worker.failures += 1
        reason = _find_fault(worker, [graded for _, graded, _ in failed])
        for job, graded, most in failed:
            # A bad engine is no fault of the submission.
            tries = job.tries + (graded.is_tried and not reason)
            self._try_again(job._replace(tries=tries), graded, most)
        if reason:
            self._set_aside(worker, reason)

    def _set_aside(self, worker: Worker, reason: str, tries: int = 0) -> None:
        """Ignore a worker from now on; its jobs wait for others, and count so many `tries` more."""
        self._aside[worker] = reason
        self._watcher.set_aside(worker.name, reason)
        jobs = [job for job, _, _ in self._failed.pop(worker, ())]
        for future in [future for future, (_, other) in self._running.items() if other is worker]:
            jobs.append(self._running.pop(future)[0])
            future.cancel()
        for job in jobs:
            lost = Graded(ungradable(job.submissions[0].task, f"{worker.name}: {reason}"))
            self._try_again(job._replace(tries=job.tries + tries), lost, MOST_FAILURES)

    def _try_again(self, job: Job, graded: Graded, most: int) -> None:
        """Let a job wait; store that it is ungradable if it was tried `most` times."""
        if job.tries < most:
            self._waiting.append(job)
            self._watcher.retry(job, graded.document)
        else:
            self._store_verdict(job, graded)

    def _store_verdict(self, job: Job, graded: Graded) -> None:
        document = graded.document
        self._store.put(job.key, job.submissions[0], document, job.facts, graded.files)
        left = len(self._waiting) + len(self._running) + sum(map(len, self._failed.values()))
        self._watcher.end(job, document, left)


def ungradable(task: str, reason: str) -> dict[str, Any]:
    """Return the document of a submission that could not be graded."""
    return json.document(Verdict(course.task(task), (), note=reason))


def find_reason(document: Mapping[str, Any]) -> str:
    """Return why a submission could not be graded."""
    errors = [check["actual"] for check in document["checks"] if check["outcome"] == "error"]
    return str(document["note"] or next(iter(errors), "")).strip()


def _result(future: Future[Graded], job: Job) -> tuple[Graded, int]:
    """Return the result of a job, and how often it may be tried.

    An executor that lost a worker raises an exception, which is no fault of the submission.
    """
    try:
        return future.result(), _MOST_TRIES
    except Exception as error:  # noqa: BLE001 - one job must not end the others
        reason = f"the grader failed: {error!r}"
        lost = Graded(ungradable(job.submissions[0].task, reason), engine_failed=True)
        return lost, MOST_FAILURES


def _find_fault(worker: Worker, failed: Sequence[Graded]) -> str:
    """Return why a worker has to be set aside after failures; empty if it may go on."""
    reasons = [find_reason(graded.document).partition("\n")[0] for graded in failed]
    reason = next(filter(None, reasons), "no reason is known")
    for graded, wrong in zip(failed, reasons, strict=True):
        if graded.is_wrong:
            return wrong
    if worker.failures >= MOST_FAILURES:
        return f"it failed {MOST_FAILURES} times in a row ({reason})"
    return "" if worker.recover() else f"it does not answer any more ({reason})"


def _engine_error(aside: Mapping[Worker, str]) -> UserError:
    """Return why no engine is left: what is wrong with the last one."""
    fix = "See workshop doctor, then run the same command again: it grades only what is missing"
    if not aside:
        return UserError("the workers", "none is left", fix)
    worker, found = [*aside.items()][-1]
    return UserError(worker.name, found, fix)
