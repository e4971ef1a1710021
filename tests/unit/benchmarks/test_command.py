"""A benchmark stores its result with the facts about the machine, or nothing."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from benchmarks import command
from workshop.core.errors import UserError
from workshop.site import measurements

NAME = "check"


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """Run the benchmark `check` with another way to measure it."""

    def main(measure, *arguments: str) -> tuple[int, str, dict | None]:
        argv = ("check", "--out", str(tmp_path), *arguments)
        monkeypatch.setattr("sys.argv", [*argv])
        code = command.main(NAME, measure)
        file = tmp_path / "check.json"
        stored = json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
        printed = capfd.readouterr()
        assert not list(tmp_path.glob("*.part"))
        return code, printed.out + printed.err, stored

    return main


def measured(rounds) -> None:
    for _ in range(rounds.rounds):
        rounds.add("task-2", "script", {"full": 1.0})
        rounds.add("task-2", "check", {"full": 1.2})
    rounds.note("A note.")


def test_a_result_is_stored_and_printed(run):
    code, printed, stored = run(measured, "--rounds", "2")
    assert code == 0
    assert "A full check, task-2: script 1.00 s, check 1.20 s, ratio 1.20 (at most 1.3: met)" in (
        printed
    )
    assert stored["rows"][0]["values"] == {"script": [1.0, 1.0], "check": [1.2, 1.2]}
    assert stored["notes"] == ["A note."]
    assert stored["machine"]["cores"] == os.cpu_count()
    assert len(stored["machine"]["load"]) == 2


def test_a_side_that_was_not_measured_is_an_error(run):
    code, printed, stored = run(lambda rounds: rounds.add("task-2", "check", {"full": 1.0}))
    assert (code, stored) == (2, None)
    assert "benchmark check, full of task-2: values for check, and not for script" in printed


def test_an_error_keeps_the_last_result(run):
    def fail(_rounds) -> None:
        raise UserError("engine", "it is gone", "Start it")

    _, _, before = run(measured)
    code, printed, stored = run(fail)
    assert (code, stored) == (2, before)
    assert "engine: it is gone. Start it\n" in printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_cleans_up_and_stores_nothing(run, number):
    cleaned = []

    def wait(_rounds) -> None:
        try:
            os.kill(os.getpid(), number)
            time.sleep(60)
        finally:
            os.kill(os.getpid(), number)  # a second one does not end the cleaning
            cleaned.append(True)

    code, printed, stored = run(wait)
    assert (code, cleaned, stored) == (130, [True], None)
    assert "Interrupted: nothing is stored, and nothing is left behind." in printed


def test_a_benchmark_ends_at_its_time_limit(run):
    code, printed, stored = run(lambda _: time.sleep(60), "--limit", "0.001")
    assert (code, stored) == (2, None)
    assert "benchmark check: it did not end within 0.001 minutes. Run it on a" in printed


def test_the_handlers_of_signals_are_restored(run):
    before = signal.getsignal(signal.SIGTERM)
    run(measured)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("rounds", ["0", "-1", "x", "1.5"])
def test_a_wrong_number_of_rounds_is_refused(run, capfd, rounds):
    with pytest.raises(SystemExit, match="2"):
        run(measured, f"--rounds={rounds}")
    assert f"must be a whole number of at least 1, not {rounds}" in capfd.readouterr().err


def test_the_benchmark_of_these_tests_is_in_the_catalogue():
    assert NAME in {benchmark.name for benchmark in measurements.catalogue()}
