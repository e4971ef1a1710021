"""Grades what is missing in the store, on an executor.

Only the submissions that are being graded are held in memory.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from workshop.core.errors import UserError
from workshop.model import LintWarning, Outcome, Result, Verdict
from workshop.reports import json
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from workshop.cohort.answer import AnswerFile
    from workshop.cohort.store import Store
    from workshop.cohort.submission import Submission
    from workshop.model import Check

MOST_FAILURES = 3
# An engine may fail for reasons that have nothing to do with the submission.
_MOST_TRIES = 2


class Graded(NamedTuple):
    """The JSON document of a verdict, and whether it is ungradable because the engine failed.

    `files` are those of the answer, as they were graded.
    """

    document: dict[str, Any]
    engine_failed: bool = False
    files: tuple[AnswerFile, ...] = ()


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


def grade_all(  # noqa: PLR0913 - the parts of the loop
    store: Store,
    jobs: Iterable[Job],
    grade: Callable[[Submission], Graded],
    executor: Executor,
    *,
    limit: int,
    watcher: Watcher,
    recover: Callable[[], bool] = lambda: True,
) -> None:
    """Grade the jobs, at most `limit` at once, and store each verdict as it comes.

    After a failure of the engine, the running jobs end; then `recover` waits for the engine, and
    returns whether it answers. Raises `UserError` if it does not, or if the engine fails
    `MOST_FAILURES` times in a row. After any exception, the verdicts so far are stored, and nothing
    else of the running jobs is.
    """
    waiting, running = deque(jobs), dict[Future[Graded], Job]()
    failures, reason = 0, ""
    while waiting or running:
        # An engine that stops fails every running job, which is one failure.
        while waiting and len(running) < limit and not reason:
            job = waiting.popleft()
            watcher.start(job)
            running[executor.submit(grade, job.submissions[0])] = job
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            job = running.pop(future)
            document, failed, files = _result(future, job)
            if failed:
                reason = reason or find_reason(document) or "no reason is known"
            elif not reason:
                failures = 0
            if failed and job.tries + 1 < _MOST_TRIES:
                waiting.append(job._replace(tries=job.tries + 1))
                watcher.retry(job, document)
                continue
            store.put(job.key, job.submissions[0], document, job.facts, files)
            watcher.end(job, document, len(waiting) + len(running))
        if reason and waiting and not running:
            failures += 1
            if failures >= MOST_FAILURES:
                raise _engine_error(f"failed {MOST_FAILURES} times in a row", reason)
            if not recover():
                raise _engine_error("does not answer any more", reason)
            reason = ""


def ungradable(task: str, reason: str) -> dict[str, Any]:
    """Return the document of a submission that could not be graded."""
    return json.document(Verdict(course.task(task), (), note=reason))


def find_reason(document: Mapping[str, Any]) -> str:
    """Return why a submission could not be graded."""
    errors = [check["actual"] for check in document["checks"] if check["outcome"] == "error"]
    return str(document["note"] or next(iter(errors), "")).strip()


def _result(future: Future[Graded], job: Job) -> Graded:
    """Return the result of a job; an executor that lost a worker raises an exception."""
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 - one job must not end the others
        reason = f"the grader failed: {error!r}"
        return Graded(ungradable(job.submissions[0].task, reason), engine_failed=True)


def _engine_error(what: str, reason: str) -> UserError:
    found = f"it {what} ({reason.splitlines()[0]})"
    fix = "See workshop doctor, then run the same command again: it grades only what is missing"
    return UserError("the Docker engine", found, fix)
