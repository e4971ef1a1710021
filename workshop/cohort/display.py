"""Shows how far a class is graded: a line for each running submission, counts, and time left."""

from __future__ import annotations

import contextlib
import textwrap
import time
from typing import TYPE_CHECKING, Any, Self

from rich.cells import cell_len

from workshop.cohort.run import find_reason
from workshop.core.progress import AROUND_NAME, COLUMNS, ProgressDisplay, fit
from workshop.core.sanitise import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console

    from workshop.cohort.run import Job
    from workshop.cohort.submission import Submission
    from workshop.core import progress

_LEAST_ID = 8  # columns of a learner's id
_INDENT = "    "
_MINUTE, _HOUR = 60, 3600


class Display:
    """The `Watcher` of a run with `total` jobs: live on a terminal, plain lines otherwise.

    `clock` returns the time in seconds.
    """

    def __init__(
        self, console: Console, total: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._display, self._total, self._clock = ProgressDisplay(console), total, clock
        self._start = clock()
        self._ended = 0
        # All remarks have the length of a long one, which keeps the columns in place.
        self._remark = len(f"35 of 35 points  [{total} of {total}, 59 min left]")
        # By key: the line of a job, and what ends it.
        self._lines: dict[str, tuple[progress.Job, contextlib.ExitStack]] = {}
        # By submission: several threads read it while builds run.
        self._running: dict[Submission, progress.Job] = {}

    def __enter__(self) -> Self:
        self._display.__enter__()
        self._display.summary(self._describe(self._total))
        return self

    def __exit__(self, *error: object) -> None:
        self._display.__exit__(*error)

    def line(self, submission: Submission, text: str) -> None:
        """Show a line of BuildKit's output beside the submission; any thread may call it."""
        if job := self._running.get(submission):
            job.step(text)

    def start(self, job: Job) -> None:
        """Show that a job runs."""
        stack = contextlib.ExitStack()
        line = stack.enter_context(self._display.job(self._name(job), "building and running"))
        self._lines[job.key] = line, stack
        self._running[job.submissions[0]] = line

    def end(self, job: Job, document: Mapping[str, Any], left: int) -> None:
        """Print a verdict, with the counts."""
        self._ended += 1
        where = self._describe(left)
        self._end(job, f"{_describe_marks(document):<15}  [{where}]", document)
        self._display.summary(where)

    def retry(self, job: Job, document: Mapping[str, Any]) -> None:
        """Print why a job is tried again."""
        self._end(job, "will be tried again", document)

    def set_aside(self, worker: str, reason: str) -> None:
        """Print why a worker is not used any longer."""
        text = plain(f"Set aside: {worker}: {reason}")
        self._display.print(textwrap.fill(text, COLUMNS, subsequent_indent=_INDENT))

    def _end(self, job: Job, remark: str, document: Mapping[str, Any]) -> None:
        """Print the line about a job, and below it why a submission could not be graded."""
        line, stack = self._lines.pop(job.key)
        del self._running[job.submissions[0]]
        line.note(remark.ljust(self._remark))
        stack.close()
        if document["outcome"] == "ungradable":
            reason, _, _ = find_reason(document).partition("\n")
            text = textwrap.fill(plain(reason), COLUMNS - len(_INDENT))
            self._display.print(textwrap.indent(text, _INDENT))

    def _name(self, job: Job) -> str:
        """Return the name of a job; if it is too long, the task stays and the learner is cut."""
        learner = job.submissions[0].learner.id
        name, rest = plain(learner), plain(job.name.removeprefix(learner))
        most = max(_LEAST_ID, COLUMNS - AROUND_NAME - self._remark - cell_len(rest))
        return f"{name if cell_len(name) <= most else fit(name, most)}{rest}"

    def _describe(self, left: int) -> str:
        done = f"{self._total - left} of {self._total}"
        if not left or not self._ended:
            return done
        seconds = (self._clock() - self._start) / self._ended * left
        return f"{done}, {describe_time(seconds)} left"


def describe_time(seconds: float) -> str:
    """Describe a duration roughly: `40 s`, `12 min`, `2 h 5 min`."""
    if seconds < _MINUTE:
        return f"{max(seconds, 1):.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:.0f} min"


def _describe_marks(document: Mapping[str, Any]) -> str:
    if document["outcome"] == "ungradable":
        return "ungradable"
    return f"{document['score']} of {document['max_score']} points"
