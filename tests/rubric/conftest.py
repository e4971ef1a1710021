"""Fixtures for the tests of the rubric."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rubric.examples import grader

from workshop.grading.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workshop.engine import Engine
    from workshop.model import Task, Verdict


@pytest.fixture(scope="session")
def judge(engine: Engine, pytestconfig: pytest.Config) -> Callable[[Task, Path], Verdict]:
    """Grades a folder for a task; facts about images are cached between test runs."""
    return grader(engine, Cache(pytestconfig.cache.mkdir("rubric")))
