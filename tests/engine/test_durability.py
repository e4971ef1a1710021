"""`workshop grade` on an engine that crashes, and when it is killed itself: no verdict is lost.

All tests use an engine that no other program uses, so that everything left in it is the grader's.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from classroom import exports
from harness import ROOT, WORKSHOP, run, until
from own_engine import OwnEngine, is_possible
from rubric.examples import lay_out_answer

from workshop.grading import cgroups
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

KILLS = 10
# A program that only builds and runs, and a server.
TASKS = ("basic-python", "task-5")
BASES = ("python:3.13-slim-trixie", "python:3.11-slim-bookworm", "ubuntu:24.04")
LEARNERS = ("anna", "ben", "carl", "dora")
WRONG = {
    "basic-python": ("--non-unique --gid ${USER_GID} ${USERNAME}", "--gid 0 nobody-else"),
    "task-5": ("USER ", "# USER "),
}


class Desk:
    """An engine, a class, and a place for marks: what a test of one grader needs."""

    def __init__(self, engine: OwnEngine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.tmp = folder / "tmp"
        self.tmp.mkdir()
        self.submissions = folder / "submissions"
        self.images = self._images()
        paths = {"TMPDIR": str(self.tmp), "XDG_CACHE_HOME": str(folder / "cache")}
        self.env = {**os.environ, **paths, **engine.env, "PYTHONPATH": str(ROOT)}

    def argv(self, out: Path, *options: str) -> list[str]:
        """Return the command that grades the class."""
        tasks = [word for task in TASKS for word in ("--task", task)]
        command = [*self.engine.inside, *WORKSHOP, "grade", str(self.submissions)]
        return [*command, *tasks, "--out", str(out), *options]

    def grade(self, out: Path, *options: str) -> str:
        """Grade until the end; return what was printed."""
        return run(*self.argv(out, *options), env=self.env).stdout

    def start(self, out: Path, log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as file:
            return subprocess.Popen(self.argv(out), env=self.env, stdout=file, stderr=file)

    def left(self) -> list[str]:
        """Return what graders have left behind."""
        docker = self.engine.docker
        networks = {*docker("network", "ls", "--format", "{{.Name}}").split()}
        rules = run(*self.engine.inside, "iptables", "--list-rules").stdout.splitlines()
        return [
            *docker("ps", "--all", "--format", "container {{.Names}}").splitlines(),
            *docker("volume", "ls", "--format", "volume {{.Name}}").splitlines(),
            *(f"network {name}" for name in networks - {"bridge", "host", "none"}),
            *(f"image {name}" for name in self._images() - self.images),
            *(f"rule {rule}" for rule in rules if "workshop" in rule),
            *map(str, self.tmp.iterdir()),
            *map(str, self.folder.glob("cache/workshop/runs/*")),
            *_unused_cgroups(),
        ]

    def _images(self) -> set[str]:
        return {*self.engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()}


def _unused_cgroups() -> Iterator[str]:
    """Yield the groups for builds that no grader on this machine uses."""
    for folder in sorted(cgroups.ROOT.glob("**/workshop-build-*")):
        lock = cgroups._lock(folder.name)
        if lock:
            with lock, contextlib.suppress(OSError):
                yield from [str(folder)] if folder.exists() else []


@pytest.fixture(scope="module")
def desk(engine, tmp_path_factory) -> Iterator[Desk]:  # noqa: ARG001 - the network of another
    if not is_possible():
        pytest.skip("a second engine needs root and dockerd on this machine")
    folder = tmp_path_factory.mktemp("durability")
    # The path of a socket has at most 104 characters, and containerd adds to it.
    short = tempfile.TemporaryDirectory(prefix="own-", dir="/var/tmp")
    with short as top, OwnEngine(Path(top, "engine")) as own:
        own.load(BASES)
        found = Desk(own, folder)
        for name in TASKS:
            for learner in LEARNERS:
                hand_in(found.submissions / learner / name, name, learner)
        yield found


def hand_in(folder: Path, name: str, learner: str) -> None:
    """Hand in the reference solution with another comment; the first learner's is wrong."""
    task = course.task(name)
    folder.mkdir(parents=True)
    lay_out_answer(task, folder)
    file = folder / task.answer[0]
    text = file.read_text(encoding="utf-8")
    if learner == LEARNERS[0]:
        old, new = WRONG[name]
        assert old in text
        text = text.replace(old, new)
    file.write_text(f"{text}\n# {learner}\n", encoding="utf-8")


@pytest.fixture(scope="module")
def undisturbed(desk: Desk, tmp_path_factory) -> tuple[dict[str, bytes], float]:
    """The exports of a class that was graded one by one without a disturbance, and its seconds."""
    out = tmp_path_factory.mktemp("undisturbed")
    start = time.monotonic()
    desk.grade(out, "--jobs", "1")
    assert desk.left() == []
    return exports(out), time.monotonic() - start


def wait(desk: Desk, grader: subprocess.Popen[bytes], seconds: float, *, grading: bool) -> bool:
    """Wait so long, after the first submission has begun if `grading`; return whether it runs."""

    def is_grading() -> bool:
        records = desk.folder.glob("cache/workshop/runs/*-workshop-check-*")
        return any(records) or grader.poll() is not None

    if grading:
        until(is_grading, "a submission that is graded", 120)
    with contextlib.suppress(subprocess.TimeoutExpired):
        grader.wait(seconds)
    return grader.poll() is None


def check_class(out: Path, expected: dict[str, bytes]) -> None:
    """Every submission has exactly one verdict, that of the undisturbed class."""
    assert exports(out) == expected
    with contextlib.closing(sqlite3.connect(out / "marks.sqlite")) as marks:
        (verdicts,) = marks.execute("SELECT count(*) FROM verdict").fetchone()
        rows = marks.execute("SELECT learner, task FROM submission WHERE wanted = shown").fetchall()
    assert verdicts == len(rows) == len({*rows}) == len(LEARNERS) * len(TASKS)


def test_a_grader_killed_at_random_moments_loses_nothing(desk, undisturbed, tmp_path):
    expected, seconds = undisturbed
    moments = random.Random(11)  # noqa: S311 - the same moments each time
    kills = classes = 0
    while kills < KILLS:
        out = tmp_path / f"class-{classes}"
        with desk.start(out, tmp_path / "log") as grader:
            if wait(desk, grader, moments.uniform(0, seconds / 6), grading=bool(kills % 3)):
                grader.kill()
                kills += 1
                continue
        assert grader.returncode == 0, (tmp_path / "log").read_text()
        check_class(out, expected)
        classes += 1
    desk.grade(out)
    check_class(out, expected)
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert desk.left() == []


def test_an_engine_killed_at_random_moments_changes_no_verdict(desk, undisturbed, tmp_path):
    expected, seconds = undisturbed
    moments = random.Random(12)  # noqa: S311
    kills = classes = 0
    while kills < KILLS:
        out = tmp_path / f"class-{classes}"
        with desk.start(out, tmp_path / "log") as grader:
            while kills < KILLS:
                pause = moments.uniform(0, seconds / 6)
                if not wait(desk, grader, pause, grading=bool(kills % 3)):
                    break
                desk.engine.kill()
                kills += 1
                desk.engine.start()
            grader.wait(600)
        assert grader.returncode in {0, 2}, (tmp_path / "log").read_text()
        desk.grade(out)
        check_class(out, expected)
        classes += 1
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert desk.left() == []


def test_an_engine_that_stays_away_ends_the_class_with_one_line(desk, undisturbed, tmp_path):
    expected, _ = undisturbed
    with desk.start(tmp_path / "marks", tmp_path / "log") as grader:
        assert wait(desk, grader, 0, grading=True)
        desk.engine.kill()
        grader.wait(600)
    desk.engine.start()
    *_, stopped, last = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert grader.returncode == 2
    assert re.fullmatch(r"Stopped: \d of 8 are left\. Run the same command to go on\.", stopped)
    assert last.startswith("the Docker engine: it does not answer any more")
    desk.grade(tmp_path / "marks")
    check_class(tmp_path / "marks", expected)
    assert desk.left() == []
