"""What every test may ask for."""

from __future__ import annotations

import os

import pytest

from workshop.engine import Engine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for an engine, directly or not, needs one."""
    for item in items:
        if "engine" in getattr(item, "fixturenames", ()):
            item.add_marker("engine")


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
