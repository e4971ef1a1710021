"""`make bench` runs every benchmark, even after one has failed, and says how long it takes."""

from __future__ import annotations

import json
import time
from argparse import Namespace
from pathlib import Path

import pytest
from benchmark_result import RESULT
from fakes import MISSING, Script, display

from benchmarks import __main__ as bench
from benchmarks import machine
from workshop.core.process import ProcessResult
from workshop.site import measurements

CATALOGUE = {benchmark.name: benchmark for benchmark in measurements.catalogue()}
FAILED = ProcessResult(2, "a line\nengine: it is gone. Start it\n")


def plan(*names: str, **options) -> bench.Plan:
    given = {"name": list(names), "rounds": None, "minutes": None, "resume": False}
    return bench.plan(Namespace(**{**given, "out": Path("somewhere"), **options}))


def run(
    planned: bench.Plan, clock=time.monotonic, **answers
) -> tuple[dict[str, str], list[list[str]]]:
    script = Script({**{f"benchmarks.{name}": text for name, text in answers.items()}, "-m": ""})
    with display()[0] as screen:
        return bench.run_all(planned, script, screen, clock), script.argvs


def test_all_benchmarks_run_in_the_order_of_the_page():
    failed, argvs = run(plan())
    assert failed == {}
    assert [argv[2] for argv in argvs] == [f"benchmarks.{name}" for name in CATALOGUE]


def test_the_others_run_after_one_that_fails():
    failed, argvs = run(plan("check", "static", "lens"), check=FAILED, static=MISSING)
    assert len(argvs) == 3
    assert failed == {
        "check": "engine: it is gone. Start it",
        "static": "docker: No such file or directory",
    }
    assert list(bench.advice(failed))[-1] == (
        "Their last results stay. Run them again: .venv/bin/task bench -- check static"
    )


def test_the_options_reach_each_benchmark():
    _, [argv] = run(plan("check", rounds=2, minutes=0.5))
    assert argv[3:5] == ["--minutes", "0.5"]
    assert argv[7:] == ["--out", "somewhere", "--rounds", "2"]


def test_a_benchmark_has_the_planned_time_of_the_catalogue():
    _, [argv] = run(plan("check"))
    assert argv[4] == f"{CATALOGUE['check'].minutes:g}"


class Clock:
    """Time in seconds, of which some minutes pass whenever somebody looks."""

    def __init__(self, minutes: float) -> None:
        self._now, self._step = 0.0, 60 * minutes

    def __call__(self) -> float:
        self._now += self._step
        return self._now


def limits(argvs: list[list[str]]) -> list[str]:
    return [argv[argv.index("--limit") + 1] for argv in argvs]


def test_a_slow_benchmark_takes_the_time_of_the_others_until_none_is_left():
    failed, argvs = run(plan("check", "static", "lens", minutes=2), Clock(2.5))
    # Of six minutes, 3.5 are left for the first one, and one for the second one.
    assert limits(argvs) == ["3.500", "1.000"]
    assert failed == {"lens": "no time is left"}


def test_a_benchmark_may_take_twice_its_planned_time():
    _, argvs = run(plan("check", "static", "lens", minutes=2), Clock(0.1))
    assert limits(argvs) == ["4.000", "4.000", "4.000"]


def test_the_duration_is_printed_in_advance(monkeypatch):
    monkeypatch.setattr(bench, "_last_seconds", lambda _: 90)
    assert plan("check", "static").describe().startswith("2 benchmarks: about 3 min, as last time,")
    assert plan("check", minutes=7).describe().startswith("1 benchmark: at most 7 min.")


def test_without_earlier_results_only_the_limit_is_known(monkeypatch):
    monkeypatch.setattr(bench, "_last_seconds", lambda _: 0)
    assert plan("check", minutes=3).describe().startswith("1 benchmark: at most 3 min.")
    assert "about" not in plan("check").describe()


def test_resume_leaves_out_what_this_commit_has_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "read_commit", lambda: ("abc", False))
    sides = {"check": ("full", "script", "check"), "static": ("one", "hadolint", "check --static")}
    for name, commit in (("check", "abc"), ("static", "old")):
        figure, *both = sides[name]
        row = {"figure": figure, "subject": "x", "values": {side: [1.0] for side in both}}
        result = {**RESULT, "benchmark": name, "commit": commit, "rows": [row]}
        (tmp_path / f"{name}.json").write_text(json.dumps(result), encoding="utf-8")
    left = plan("check", "static", "lens", resume=True, out=tmp_path).benchmarks
    assert [benchmark.name for benchmark in left] == ["static", "lens"]


def test_an_unknown_name_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["bench", "chekc"])
    with pytest.raises(SystemExit, match="2"):
        bench.main()
    assert "no benchmark is named chekc: choose from rebuild," in capsys.readouterr().err
