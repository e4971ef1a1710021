"""Grades on the engine of this machine, as `cluster` does on those of others."""

from __future__ import annotations

import contextlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from workshop.cohort.canary import Canaries
from workshop.cohort.grader import Grader
from workshop.cohort.keys import read_keys
from workshop.cohort.run import MOST_FAILURES, Worker
from workshop.core.errors import UserError
from workshop.engine import Engine, EngineUnavailableError
from workshop.grading import isolation
from workshop.grading.limits import CLASS
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from workshop.cohort.submission import Submission
    from workshop.core.process import Runner
    from workshop.grading.cache import Cache

NAME = "the Docker engine"
# An engine that was killed needs a while to start again.
SECONDS_TO_RECOVER = 60
_SECONDS_BETWEEN = 1.0


class LocalEngine:
    """The engine that the docker command connects to, as a `Cluster` with one worker.

    `jobs` is how many submissions it grades at once; 0 for one on each core. `report` gets a line
    about what is wrong with the engine.
    """

    def __init__(self, run: Runner, cache: Cache, jobs: int, report: Callable[[str], None]) -> None:
        self._engine, self._cache, self._report = Engine(run), cache, report
        self._jobs, self._limits = jobs or os.cpu_count() or 1, CLASS
        self.keys = read_keys(self._engine)

    def try_limits(self, *, required: bool, again: bool = False) -> dict[str, bool]:
        """Return which limits the engine enforces, and report those that it does not.

        They are remembered, and tried `again` if that is wanted. Raise `UserError` if all of
        them are `required`, and one does not hold.
        """
        held = self._probe(again=again)
        if required and not all(held.values()):
            # Another try: a busy machine may have been too slow.
            held = self._probe(again=True)
        self._limits = isolation.adapt(CLASS, held)
        if fault := isolation.find_fault(held):
            found = f"it {fault}"
            if required:
                fix = "Use Docker on Linux as root, or grade without --require-isolation"
                raise UserError(NAME, found, fix)
            self._report(f"Submissions are not fully contained. The Docker engine: {found}")
        return held

    @contextlib.contextmanager
    def open(
        self, on_line: Callable[[Submission, str], None]
    ) -> Iterator[Callable[[], Collection[Worker]]]:
        """Yield a function that returns the worker; `on_line` gets the output of its builds."""
        # Known answers take longer than most submissions: this engine is trusted until it fails.
        grader = Grader(self._engine, self._cache, on_line, self._limits)
        guard = partial(Canaries(course.TASKS).guard, grader)
        with ThreadPoolExecutor(self._jobs) as executor:
            worker = Worker(NAME, partial(executor.submit, guard), self._jobs, self.wait)
            yield lambda: [worker]

    def wait(self) -> bool:
        """Wait until the engine answers; return whether it does within `SECONDS_TO_RECOVER`."""
        deadline = time.monotonic() + SECONDS_TO_RECOVER
        if self._engine.instance():
            return True
        self._report(f"The Docker engine does not answer: waiting up to {SECONDS_TO_RECOVER} s")
        while time.monotonic() < deadline:
            if self._engine.info():
                self._report("The Docker engine answers again")
                return True
            time.sleep(_SECONDS_BETWEEN)
        return False

    def _probe(self, *, again: bool) -> dict[str, bool]:
        """Return which limits hold, by their names; try again if the engine stops meanwhile."""
        for _ in range(MOST_FAILURES):
            instance = self._engine.instance()
            with contextlib.suppress(EngineUnavailableError):
                found = isolation.find_limits(self._engine, self._cache, again=again)
                if self._engine.instance() == instance:
                    return found
            if not self.wait():
                break
        raise UserError(NAME, "it stopped while its limits were tried", "See workshop doctor")
