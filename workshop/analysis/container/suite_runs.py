"""A service that runs pytest, and runs it again: seen by what it prints."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.model import Failed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workshop.analysis.container.stack import Stack

SECONDS_TO_TEST = 120.0
SECONDS_TO_SEE = 8.0
SECONDS_TO_CLOSE = 5.0

# pytest's last line, with its rule or (quiet) without; pytest-watch and pytest-watcher pass it on.
_COUNT = r"\d+ (?:passed|failed|errors?|skipped|deselected|xfailed|xpassed|warnings?|rerun)"
_SUMMARY = re.compile(rf"=*\s*{_COUNT}(?:, {_COUNT})* in (?P<seconds>\d[\d.]*)s\b")
# What it says where it comes to no tests.
_BROKEN = re.compile(r"ImportError while loading conftest|INTERNALERROR>|ERROR: .*not found:")
_RED = re.compile(r"failed|error", re.IGNORECASE)


@dataclass(frozen=True)
class SuiteRun:
    """One run of pytest that came to its end: its last line, and how long it took."""

    __test__ = False

    line: str
    green: bool
    seconds: float


def runs(lines: Iterable[str]) -> list[SuiteRun]:
    """Every run of pytest in what a service printed."""
    found = []
    for line in lines:
        summary = _SUMMARY.match(line)
        if summary or _BROKEN.match(line):
            seconds = float(summary["seconds"]) if summary else 0.0
            found.append(SuiteRun(line.strip("= "), not _RED.search(line), seconds))
    return found


@dataclass(frozen=True)
class SuiteService:
    """The service called `name`, which ended its first run of the tests with these `words`."""

    stack: Stack
    name: str
    words: str

    @property
    def runs(self) -> list[SuiteRun]:
        """Every run so far; never empty."""
        return runs(self.stack.logs(self.name))

    def check_green(self) -> None:
        """`Failed` where the first run had failures."""
        if not self.runs[0].green:
            actual = f"{self.name}: {self.runs[0].line}{self.words}"
            raise self._failed(actual, "every test passed")

    def check_waits(self) -> None:
        """`Failed` where it does not run any more."""
        if not self.stack.running(self.name):
            raise self.stack.ended(self.name, f"{self.name} to wait for the next change")

    def check_turns(self, path: str, *, green: bool) -> None:
        """`Failed` where the last run does not turn green, or red, after an edit of `path`."""

        def turned() -> bool:
            return self.runs[-1].green == green

        # Where the first run was slow, the next ones are.
        seconds = SECONDS_TO_SEE + 3 * self.runs[0].seconds
        for _ in range(2):
            self.stack.until(lambda: turned() or not self.stack.running(self.name), seconds)
            if turned():
                return
            self.check_waits()
            # Some watchers miss what is saved while they run: so one saves again.
            self.stack.save(path)
        done, expected = ("mended", "every test passed") if green else ("broken", "failures")
        last = self.runs[-1].line
        actual = f"{path} was {done}, and {2 * seconds:.0f} s later {self.name} says: {last}"
        raise self._failed(actual, f"a new run, with {expected}")

    def _failed(self, actual: str, expected: str) -> Failed:
        return Failed(actual, expected, line=self.stack.line(self.name))


def find(stack: Stack) -> SuiteService:
    """The service that runs the tests; `Failed` where none of them does."""
    names = _names(stack)
    if name := first(stack):
        # What ends after its run does so soon after its last line.
        stack.until(lambda: not stack.running(name), SECONDS_TO_CLOSE)
        return SuiteService(stack, name, stack.last_words(name))
    actual = f"no summary of pytest in what {' and '.join(names)} printed"
    last = stack.last_words(names[0]) if len(names) > 1 else ""
    raise Failed(actual + last, "a service that runs the tests", line=stack.line(names[0]))


def first(stack: Stack) -> str:
    """The first service to end a run of the tests; empty where none does."""
    names = _names(stack)
    services = stack.plan.compose.services

    def found() -> str:
        return next((name for name in names if runs(stack.logs(name))), "")

    def over() -> bool:
        return not any(stack.running(name) for name in names if not services[name].ports)

    stack.until(lambda: found() or over(), SECONDS_TO_TEST)
    return found()


def _names(stack: Stack) -> list[str]:
    """The services, those first that publish no port: tests need none, as the app does."""
    return sorted(stack.services, key=lambda name: bool(stack.plan.compose.services[name].ports))
