"""What every test can use: an engine, a time budget, a temporary folder that is removed."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import Counter

import pytest

from workshop.engine import Engine

# Folders whose tests all run in `make test-all` only.
SLOW_FOLDERS = {
    *("browser", "devcontainer", "differential", "hostile", "lessons", "museum", "platforms"),
    "workflows",
}
TEMPORARY = pytest.StashKey[str]()
DEADLINE = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--budget",
        type=float,
        metavar="SECONDS",
        help="skip tests that would start after this time",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Give the whole run one temporary folder: killed programs leave files behind."""
    if budget := config.getoption("--budget"):
        config.stash[DEADLINE] = time.monotonic() + budget
    if not hasattr(config, "workerinput"):
        # A short name: the path of a Unix socket has at most 107 characters.
        folder = config.stash[TEMPORARY] = tempfile.mkdtemp(prefix="w")
        os.environ["TMPDIR"] = tempfile.tempdir = folder


def pytest_unconfigure(config: pytest.Config) -> None:
    if folder := config.stash.get(TEMPORARY, ""):
        shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need an engine, directly or not, and those in slow folders."""
    for item in items:
        if "engine" in getattr(item, "fixturenames", ()):
            item.add_marker("engine")
        # Relative: the checkout itself may be in a folder with such a name.
        if SLOW_FOLDERS & {*item.path.relative_to(item.config.rootpath).parts}:
            item.add_marker("slow")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if time.monotonic() > item.config.stash.get(DEADLINE, float("inf")):
        pytest.skip("the time budget is used up")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print each reason for a skip once, with the number of tests."""
    skipped = terminalreporter.stats.get("skipped", [])
    for reason, count in Counter(report.longrepr[2] for report in skipped).items():
        terminalreporter.write_line(f"{count} skipped: {reason.removeprefix('Skipped: ')}")


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine of this machine; without one, the test is skipped, or fails if it is required."""
    found = Engine()
    if found.info() is None:
        reason = "no Docker engine answers: run `make doctor` to see what to do"
        if os.environ.get("REQUIRE_ENGINE", "") not in {"", "0"}:
            pytest.fail(reason)
        pytest.skip(reason)
    return found
