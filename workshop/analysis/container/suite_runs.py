"""A service that runs pytest again after each change, observed by its output."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.model import Failed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workshop.analysis.container.stack import Stack

SECONDS_TO_TEST = 120.0
SECONDS_TO_RERUN = 8.0
SECONDS_TO_END = 5.0

# pytest's summary line, with or (quiet) without its rule; pytest-watch and pytest-watcher print it.
_COUNT = r"\d+ (?:passed|failed|errors?|skipped|deselected|xfailed|xpassed|warnings?|rerun)"
_SUMMARY = re.compile(rf"=*\s*{_COUNT}(?:, {_COUNT})* in (?P<seconds>\d[\d.]*)s\b")
# What pytest prints if it cannot run any test.
_BROKEN = re.compile(r"ImportError while loading conftest|INTERNALERROR>|ERROR: .*not found:")
_RED = re.compile(r"failed|error", re.IGNORECASE)


@dataclass(frozen=True)
class SuiteRun:
    """A finished run of pytest: its summary line, whether it passed, and how long it took."""

    __test__ = False

    line: str
    green: bool
    seconds: float


def read_runs(lines: Iterable[str]) -> list[SuiteRun]:
    """Find every finished run of pytest in the output of a service."""
    found = []
    for line in lines:
        summary = _SUMMARY.match(line)
        if summary or _BROKEN.match(line):
            seconds = float(summary["seconds"]) if summary else 0.0
            found.append(SuiteRun(line.strip("= "), not _RED.search(line), seconds))
    return found


@dataclass(frozen=True)
class SuiteService:
    """The service called `name`, and its `last_output` at the end of its first test run."""

    stack: Stack
    name: str
    last_output: str

    @property
    def runs(self) -> list[SuiteRun]:
        """Every finished run; never empty."""
        return read_runs(self.stack.logs(self.name))

    def check_green(self) -> None:
        """Raise `Failed` if a test failed in the first run."""
        if not self.runs[0].green:
            actual = f"{self.name}: {self.runs[0].line}{self.last_output}"
            raise self._failed(actual, "every test passed")

    def check_waits(self) -> None:
        """Raise `Failed` if the service has ended."""
        if not self.stack.running(self.name):
            raise self.stack.ended(self.name, f"{self.name} to wait for the next change")

    def check_reruns(self, path: str, *, green: bool) -> None:
        """Raise `Failed` unless the tests pass (`green`) or fail after an edit of `path`."""

        def has_rerun() -> bool:
            return self.runs[-1].green == green

        # If the first run was slow, the next ones are too.
        seconds = SECONDS_TO_RERUN + 3 * self.runs[0].seconds
        for _ in range(2):
            self.stack.until(lambda: has_rerun() or not self.stack.running(self.name), seconds)
            if has_rerun():
                return
            self.check_waits()
            # Some watchers miss a save during a test run: save again.
            self.stack.save(path)
        edit, expected = ("fixed", "every test passed") if green else ("broken", "failures")
        last = self.runs[-1].line
        actual = f"{2 * seconds:.0f} s after {path} was {edit}, {self.name} still shows: {last}"
        raise self._failed(actual, f"a new run, with {expected}")

    def _failed(self, actual: str, expected: str) -> Failed:
        return Failed(actual, expected, line=self.stack.line(self.name))


def find(stack: Stack) -> SuiteService:
    """Return the service that runs the tests; raise `Failed` if there is none."""
    names = _names(stack)
    if name := find_first(stack):
        # A service that does not wait for changes ends soon after pytest's summary.
        stack.until(lambda: not stack.running(name), SECONDS_TO_END)
        return SuiteService(stack, name, stack.last_output(name))
    actual = f"no pytest summary in the output of {' and '.join(names)}"
    output = stack.last_output(names[0]) if len(names) > 1 else ""
    raise Failed(actual + output, "a service that runs the tests", line=stack.line(names[0]))


def find_first(stack: Stack) -> str:
    """Wait for a test run to finish; return the name of its service, empty if there is none."""
    names = _names(stack)
    services = stack.plan.compose.services

    def finished() -> str:
        return next((name for name in names if read_runs(stack.logs(name))), "")

    def all_ended() -> bool:
        return not any(stack.running(name) for name in names if not services[name].ports)

    stack.until(lambda: finished() or all_ended(), SECONDS_TO_TEST)
    return finished()


def _names(stack: Stack) -> list[str]:
    """Return the services, those without published ports first: tests need none."""
    return sorted(stack.services, key=lambda name: bool(stack.plan.compose.services[name].ports))
