"""What every test may ask for."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from workshop.engine import Engine

# What follows lessons, looks at their pages, and builds their true failures: `make course`.
COURSE = {"lessons", "browser", "museum"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for an engine, directly or not, needs one."""
    for item in items:
        if "engine" in getattr(item, "fixturenames", ()):
            item.add_marker("engine")
        if COURSE & {*item.path.parts}:
            item.add_marker("course")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once, and not for each test, why tests were skipped."""
    skipped = terminalreporter.stats.get("skipped", [])
    for reason, count in Counter(report.longrepr[2] for report in skipped).items():
        terminalreporter.write_line(f"{count} skipped: {reason.removeprefix('Skipped: ')}")


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine of this machine; without one, the test is skipped, or fails where one must be."""
    found = Engine()
    if found.info() is None:
        reason = "no Docker engine answers: run `make doctor` to see what to do"
        if os.environ.get("REQUIRE_ENGINE", "") not in {"", "0"}:
            pytest.fail(reason)
        pytest.skip(reason)
    return found
