"""The engine of this machine is waited for if it stops, and its limits are then tried again."""

from __future__ import annotations

import pytest
from fakes import INFO, NO_ENGINE, Script

from workshop.cohort import local_engine
from workshop.cohort.local_engine import LocalEngine
from workshop.core.errors import UserError
from workshop.grading import enforcement
from workshop.grading.cache import Cache


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def start(tmp_path, lines):
    """Return an engine whose default network has the ids `networks`, one after the other."""

    def run(networks, info=INFO):
        answers = {"docker image inspect": "", "docker network inspect": networks}
        # The first answer is for the keys.
        script = Script({"docker info": info, **answers})
        return LocalEngine(script, Cache(tmp_path), 1, lines.append)

    return run


def test_an_engine_that_comes_back_is_waited_for(start, lines, monkeypatch):
    monkeypatch.setattr(local_engine, "_SECONDS_BETWEEN", 0)
    assert start(NO_ENGINE, [INFO, NO_ENGINE, NO_ENGINE, INFO]).wait()
    assert lines == [
        "The Docker engine does not answer: waiting up to 60 s",
        "The Docker engine answers again",
    ]


def test_an_engine_that_stays_away_is_given_up(start, monkeypatch):
    monkeypatch.setattr(local_engine, "SECONDS_TO_RECOVER", 0.05)
    monkeypatch.setattr(local_engine, "_SECONDS_BETWEEN", 0.01)
    assert not start(NO_ENGINE, [INFO, NO_ENGINE]).wait()


def test_a_running_engine_is_not_waited_for(start, lines):
    assert start("an instance").wait()
    assert lines == []


def test_limits_are_tried_again_if_the_engine_stops_meanwhile(start, monkeypatch):
    tries = []
    monkeypatch.setattr(enforcement, "probe", lambda *_: tries.append("try") or {"disk": False})
    engine = start(["one", "two", "two"])
    assert engine.try_limits(required=False) == {"disk": False}
    assert len(tries) == 2


def test_an_engine_that_stops_with_each_try_of_the_limits_is_one_line(start, monkeypatch):
    monkeypatch.setattr(enforcement, "probe", lambda *_: {})
    engine = start([str(number) for number in range(99)])
    with pytest.raises(UserError, match="it stopped while its limits were tried"):
        engine.try_limits(required=False)
