"""A container that prints too much is stopped, and the limit that it exceeded is named."""

from __future__ import annotations

import threading

import pytest

from workshop.analysis.container.excess import OutputLimit, check_memory
from workshop.grading import causes
from workshop.model import Failed


class FakeEngine:
    """Keeps the containers that were stopped, and has one state for all."""

    def __init__(self, *, killed: bool = False) -> None:
        self.stopped, self.event, self._killed = [], threading.Event(), killed

    def stop(self, name: str, seconds: int) -> None:
        self.stopped.append((name, seconds))
        self.event.set()

    def state(self, name: str) -> dict[str, bool]:
        return {"OOMKilled": self._killed} if name == "app" else {}


def test_a_container_that_prints_too_much_is_stopped_once():
    engine = FakeEngine()
    output = OutputLimit(engine, "app", 10_000_000)
    for _ in range(4):
        output.add("x" * 4_000_000)
    assert engine.event.wait(30)
    assert engine.stopped == [("app", 0)]
    with pytest.raises(Failed, match="the container printed more than 10 MB"):
        output.check()


def test_output_within_the_limit_is_no_failure():
    engine = FakeEngine()
    output = OutputLimit(engine, "app", 10)
    output.add("x" * 9)
    output.check()
    assert engine.stopped == []


def test_a_container_that_the_kernel_killed_used_too_much_memory():
    with pytest.raises(Failed, match=r"the container used more than 1\.5 GB of memory") as failed:
        check_memory(FakeEngine(killed=True), "app", 137, 1_500_000_000)
    cause = causes.diagnose(failed.value.actual)
    assert cause
    assert cause.cause.id == "exit-137"


@pytest.mark.parametrize(("code", "killed"), [(137, False), (1, True), (0, True)])
def test_a_container_that_ended_otherwise_is_no_failure(code, killed):
    check_memory(FakeEngine(killed=killed), "app", code, 1)
