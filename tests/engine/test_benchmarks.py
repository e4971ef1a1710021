"""A benchmark measures on a real engine, and leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from harness import ROOT, run, until

from workshop.site import measurements

pytestmark = [pytest.mark.engine, pytest.mark.slow]
CATALOGUE = {benchmark.name: benchmark for benchmark in measurements.catalogue()}
# A class with an answer to each of five tasks.
SIZES = {"BENCH_SUBMISSIONS": "5", "BENCH_SAMPLE": "5", "BENCH_STORED": "20"}
ENVIRONMENT = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PYTHONUNBUFFERED": "1", **SIZES}


def left_behind() -> set[str]:
    """The containers and images of benchmarks."""
    containers = run("docker", "ps", "--all", "--format", "{{.Names}}").stdout.split()
    images = run("docker", "images", "--format", "{{.Repository}}").stdout.split()
    return {name for name in (*containers, *images) if name.startswith("workshop-benchmark-")}


@pytest.mark.parametrize("name", ["rebuild", "check", "lens", "servers", "classes"])
def test_a_benchmark_measures_every_figure(engine, tmp_path, name):  # noqa: ARG001 - it must answer
    before = left_behind()
    argv = (sys.executable, "-m", f"benchmarks.{name}", "--rounds", "1", "--minutes", "15")
    run(*argv, "--out", str(tmp_path), cwd=ROOT, env=ENVIRONMENT, timeout=1000)
    result = measurements.read(CATALOGUE[name], tmp_path)
    assert result is not None
    assert {row.figure for row in result.rows} == {one.name for one in CATALOGUE[name].figure}
    assert all(min(values) > 0 for row in result.rows for values in row.values.values())
    assert left_behind() <= before


def test_an_interrupted_benchmark_removes_its_container(engine, tmp_path):  # noqa: ARG001
    before = left_behind()
    argv = (sys.executable, "-m", "benchmarks", "servers", "--out", str(tmp_path))
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        until(lambda: left_behind() - before, "a container", 300)
        child.send_signal(signal.SIGINT)
        output, _ = child.communicate(timeout=120)
    assert child.returncode == 130
    assert "Interrupted. Finish it with: .venv/bin/task bench -- --resume" in output
    assert left_behind() <= before
    assert not list(tmp_path.iterdir())
