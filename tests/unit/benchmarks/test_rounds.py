"""Cases are measured in turn, in both orders, as often as the time allows."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks import rounds
from benchmarks.rounds import Case, Rounds, run_program
from workshop.core.errors import UserError


class Clock:
    """Time that passes only when a case runs."""

    def __init__(self) -> None:
        self.now, self.order = 0.0, list[str]()

    def __call__(self) -> float:
        return self.now

    def case(self, side: str, seconds: float) -> Case:
        def run() -> dict[str, float]:
            self.order.append(side)
            self.now += seconds
            return {"time": seconds, "size": 7.0}

        return Case("image", side, run)


def compare(rounds: int, seconds: float, **options) -> tuple[Clock, Rounds]:
    clock = Clock()
    found = Rounds(rounds, seconds, clock=clock)
    found.compare([clock.case("a", 1), clock.case("b", 2)], **options)
    return clock, found


def test_the_first_round_does_not_count_and_every_second_one_is_reversed():
    clock, found = compare(3, 1000)
    assert "".join(clock.order) == "ab" + "ab" + "ba" + "ab"
    assert [row.values for row in found.rows] == [
        {"a": [1, 1, 1], "b": [2, 2, 2]},
        {"a": [7, 7, 7], "b": [7, 7, 7]},
    ]
    assert [(row.figure, row.subject) for row in found.rows] == [
        ("time", "image"),
        ("size", "image"),
    ]


def test_what_needs_no_first_round_has_none():
    clock, _ = compare(1, 1000, warm_up=False)
    assert "".join(clock.order) == "ab"


@pytest.mark.parametrize(("seconds", "rounds"), [(1, 3), (13, 3), (15, 4), (1000, 9)])
def test_a_slow_machine_measures_less_often_but_three_times(seconds, rounds):
    _, found = compare(9, seconds)
    assert len(found.rows[0].values["a"]) == rounds


def test_a_share_of_the_time_leaves_the_rest_to_others():
    _, found = compare(9, 30, share=0.5)
    assert len(found.rows[0].values["a"]) == 4


def test_a_round_that_fails_counts_for_no_side():
    clock, calls = Clock(), []

    def fail() -> dict[str, float]:
        calls.append(1)
        if len(calls) == 2:
            raise UserError("b", "it failed", "Fix it")
        return {"time": 1.0}

    found = Rounds(3, 1000, clock=clock)
    with pytest.raises(UserError, match="it failed"):
        found.compare([clock.case("a", 1), Case("image", "b", fail)], warm_up=False)
    assert [len(row.values["a"]) for row in found.rows] == [1, 1]


def test_the_steps_name_round_subject_and_side():
    steps, clock = [], Clock()
    Rounds(1, 1000, steps.append, clock).compare([clock.case("a", 1)])
    assert steps == ["first image, a", "1/1 image, a"]


def test_a_program_is_timed():
    seconds, output = run_program((sys.executable, "-c", "print('yes')"))
    assert output == "yes\n"
    assert 0 < seconds < 60


def test_a_program_that_fails_is_an_error_with_what_it_printed():
    argv = (sys.executable, "-c", "import sys; print('no'); sys.exit(3)")
    with pytest.raises(UserError, match="exit code 3: no"):
        run_program(argv)
    with pytest.raises(UserError, match=r"^a program: exit code 3: no"):
        run_program(argv, name="a program")
    assert run_program(argv, good=(0, 3))[1] == "no\n"


WAITING = """
import signal, sys, time
def end(*_):
    print("cleaned")
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(60)
"""


def test_a_program_that_is_ended_cleans_up_first():
    argv = (sys.executable, "-c", WAITING)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "ready\n"
        rounds.end(child)
        assert child.stdout.read() == "cleaned\n"
    assert child.returncode == 0


def test_a_program_that_does_not_end_is_an_error(monkeypatch):
    monkeypatch.setattr(rounds, "LONGEST_RUN", 0.01)
    with pytest.raises(UserError, match=r"^a check: it did not end within 0 s"):
        run_program((sys.executable, "-c", WAITING), name="a check")
