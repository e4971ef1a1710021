"""The limits that hold are remembered until the machine or the engine starts again."""

from __future__ import annotations

import json

import pytest
from fakes import INFO, Script

from workshop.engine import Engine
from workshop.grading import enforcement, isolation
from workshop.grading.cache import Cache
from workshop.grading.limits import CLASS, UNLIMITED

HELD = {"build memory": True, "package proxy": False}


@pytest.fixture
def tries(monkeypatch, tmp_path):
    """The number of times that the limits were tried."""
    found = []

    def probe(_engine, _cache):
        found.append(1)
        return HELD

    monkeypatch.setattr(enforcement, "probe", probe)
    boot = tmp_path / "boot_id"
    boot.write_text("one\n")
    monkeypatch.setattr(isolation, "_BOOT", boot)
    return found


def engine(name: str = "e") -> Engine:
    return Engine(Script({"docker info": json.dumps({**json.loads(INFO), "ID": name})}))


def test_the_limits_are_tried_once(tries, tmp_path):
    cache = Cache(tmp_path)
    assert isolation.find_limits(engine(), cache) == HELD
    assert isolation.find_limits(engine(), cache) == HELD
    assert len(tries) == 1
    assert isolation.find_limits(engine(), cache, again=True) == HELD
    assert len(tries) == 2


def test_another_engine_or_another_start_is_tried(tries, tmp_path):
    cache = Cache(tmp_path)
    isolation.find_limits(engine(), cache)
    isolation.find_limits(engine("other"), cache)
    assert len(tries) == 2
    (tmp_path / "boot_id").write_text("two\n")
    isolation.find_limits(engine(), cache)
    assert len(tries) == 3


def test_nothing_is_remembered_of_a_machine_that_does_not_tell_its_start(tries, tmp_path):
    (tmp_path / "boot_id").unlink()
    isolation.find_limits(engine(), Cache(tmp_path))
    isolation.find_limits(engine(), Cache(tmp_path))
    assert len(tries) == 2


def test_without_the_proxy_builds_get_another_network():
    assert isolation.adapt(CLASS, {"package proxy": True}) == CLASS
    assert isolation.adapt(CLASS, HELD) == CLASS._replace(packages=UNLIMITED)


def test_the_limits_are_written_beside_the_marks(tmp_path):
    assert isolation.read(tmp_path) == {}
    isolation.write(HELD, tmp_path)
    assert isolation.read(tmp_path) == HELD
