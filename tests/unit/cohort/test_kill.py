"""A grader that is killed at any moment loses at most what it was grading."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from harness import ROOT

from workshop.cohort.exports import csv_marks
from workshop.cohort.store import Store

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 60
CLASSES = 34
KILLS = 3
LIMIT = 2


def start(folder: Path) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return subprocess.Popen(
        [sys.executable, str(ROOT / "tests/killable_grader.py"), str(folder), str(COUNT)],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_at(folder: Path, seconds: float) -> bool:
    """Kill a grader so long after it begins to open the store; return whether it had not ended."""
    with start(folder) as child:
        assert child.stdout
        assert child.stdout.readline() == "opening\n"
        timer = threading.Timer(seconds, child.kill)
        timer.start()
        rest, errors = child.communicate(timeout=60)
        timer.cancel()
    assert errors == ""
    return rest == ""


def finish(folder: Path) -> tuple[bytes, float]:
    """Grade what is left; return the marks, and the seconds since the store began to open."""
    with start(folder) as child:
        assert child.stdout
        assert child.stdout.readline() == "opening\n"
        began = time.monotonic()
        out, errors = child.communicate(timeout=60)
        seconds = time.monotonic() - began
    assert (out, errors, child.returncode) == ("done\n", "", 0)
    with Store(folder) as store:
        csv_marks.write(store.rows(), folder)
    return (folder / "marks.csv").read_bytes(), seconds


@pytest.mark.slow
def test_a_killed_grader_goes_on_and_gives_the_marks_of_an_undisturbed_one(tmp_path):
    undisturbed, seconds = finish(tmp_path / "undisturbed")
    assert undisturbed.count(b"\n") == COUNT + 2
    moments = random.Random(7)  # noqa: S311 - the same moments each time
    killed = 0
    for number in range(CLASSES):
        folder = tmp_path / f"class-{number}"
        kills = sum(kill_at(folder, moments.uniform(0, seconds)) for _ in range(KILLS))
        assert finish(folder)[0] == undisturbed
        graded = (folder / "graded").read_text().split()
        assert len(set(graded)) == COUNT
        assert len(graded) <= COUNT + LIMIT * kills
        killed += kills
    # On any machine, most classes are killed before they end.
    assert killed >= CLASSES


def test_a_second_grader_says_so_and_ends_while_the_first_goes_on(tmp_path):
    with Store(tmp_path), start(tmp_path) as second:
        _, errors = second.communicate(timeout=60)
    assert "another grader is using this folder" in errors
    assert second.returncode
    assert not (tmp_path / "graded").exists()
