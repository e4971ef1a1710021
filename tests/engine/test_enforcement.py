"""The probe of limits tells an engine that enforces them from one that does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workshop.core.sizes import GB
from workshop.grading import cgroups, enforcement
from workshop.grading.cache import Cache
from workshop.grading.enforcement import probe

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.engine import Engine

pytestmark = pytest.mark.slow
# The others do not depend on these: the attempts have their own limits.
LIMITS_OF_SUBMISSIONS = {
    *("build memory", "build processes", "build disk", "build processors"),
    *("build network", "package proxy", "host ports", "run disk"),
}


@pytest.mark.skipif(
    not cgroups.is_available(),
    reason="the kit cannot limit builds here: it needs root and cgroups",
)
def test_every_limit_holds_where_the_kit_can_set_it(engine: Engine, tmp_path: Path):
    assert [name for name, held in probe(engine, Cache(tmp_path)).items() if not held] == []
    assert [*tmp_path.rglob("*.json")] == []


def test_limits_that_do_not_hold_are_reported(engine: Engine, tmp_path: Path, monkeypatch):
    without = enforcement.TINY._replace(memory=0, disk=GB, network=True)
    monkeypatch.setattr(enforcement, "TINY", without)
    found = probe(engine, Cache(tmp_path))
    assert {name for name, held in found.items() if not held} == LIMITS_OF_SUBMISSIONS
