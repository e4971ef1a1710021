"""Whatever is killed, a class on several workers gets the marks of an undisturbed run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from dask_processes import PATHS, scheduler, worker
from harness import ROOT, WORKSHOP, until

from workshop.analysis import starter
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

TASK = "baby-steps"
COUNT = 12
# On a busy machine, a Python program needs long to start.
SECONDS = 180


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class, in which each learner gets a number as the score."""
    top = tmp_path_factory.mktemp("class")
    for number in range(COUNT):
        folder = top / f"submissions/learner-{number:02}"
        folder.mkdir(parents=True)
        starter.copy_solution(course.task(TASK), folder)
        with (folder / "Dockerfile").open("a") as file:
            file.write(f"\n#{number}\n")
    return top / "submissions"


@contextlib.contextmanager
def workers(address: str, folder: Path, count: int) -> Iterator[None]:
    options = ("--preload", str(ROOT / "tests/made_up_engine.py"))
    with contextlib.ExitStack() as stack:
        for number in range(count):
            place = folder / f"worker-{number}"
            graded = {"WORKSHOP_TEST_GRADED": str(folder / "graded")}
            stack.enter_context(worker(address, place, *options, **graded))
        yield


@contextlib.contextmanager
def grading(address: str, submissions: Path, out: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the command until the block ends."""
    argv = [*WORKSHOP, "grade", str(submissions), "--task", TASK, "--out", str(out)]
    with subprocess.Popen(
        [*argv, "--scheduler", address],
        env={**os.environ, "PYTHONPATH": PATHS},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def grade(address: str, submissions: Path, out: Path) -> None:
    with grading(address, submissions, out) as process:
        finish(process)


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    """Wait for the end of the command; return its output."""
    output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == code, output
    assert "Traceback" not in output
    return output


def graded(folder: Path) -> list[list[str]]:
    """Return the process of the worker and the submission, for each that was started."""
    file = folder / "graded"
    return [line.split() for line in file.read_text().splitlines()] if file.exists() else []


def wait_for(folder: Path, count: int) -> list[list[str]]:
    """Wait until so many submissions were started, and return them."""
    until(lambda: len(graded(folder)) >= count, f"{count} submissions", SECONDS)
    return graded(folder)


def kill_the_worker_of(started: list[str]) -> None:
    os.kill(int(started[0]), signal.SIGKILL)


@pytest.fixture(scope="module")
def undisturbed(submissions, tmp_path_factory) -> bytes:
    """The table of marks by one worker."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with scheduler(folder) as (address, _), workers(address, folder, 1):
        grade(address, submissions, folder / "marks")
    assert len(graded(folder)) == COUNT
    return (folder / "marks/marks.csv").read_bytes()


def nothing_left(folder: Path) -> bool:
    return not any(folder.glob("worker-*/tmp/workshop-*"))


def test_a_killed_worker_loses_nothing(submissions, tmp_path, undisturbed):
    with (
        scheduler(tmp_path) as (address, _),
        workers(address, tmp_path, 2),
        grading(address, submissions, tmp_path / "marks") as process,
    ):
        kill_the_worker_of(wait_for(tmp_path, 4)[-1])
        output = finish(process)
        until(lambda: nothing_left(tmp_path), "no files are left")
    assert "Set aside: the worker tcp://" in output
    assert "it is no longer connected" in output
    assert (tmp_path / "marks/marks.csv").read_bytes() == undisturbed
    # What the killed worker graded was graded again, and Dask started the worker again.
    assert len(graded(tmp_path)) == COUNT + 1
    assert len({process for process, _ in graded(tmp_path)}) >= 2


def test_the_only_worker_is_waited_for_when_it_was_killed(submissions, tmp_path, undisturbed):
    with (
        scheduler(tmp_path) as (address, _),
        workers(address, tmp_path, 1),
        grading(address, submissions, tmp_path / "marks") as process,
    ):
        kill_the_worker_of(wait_for(tmp_path, 4)[-1])
        finish(process)
    assert (tmp_path / "marks/marks.csv").read_bytes() == undisturbed
    assert len({process for process, _ in graded(tmp_path)}) == 2


def test_after_a_killed_scheduler_the_same_command_goes_on(submissions, tmp_path, undisturbed):
    with (
        scheduler(tmp_path) as (address, killed),
        workers(address, tmp_path, 2),
        grading(address, submissions, tmp_path / "marks") as process,
    ):
        wait_for(tmp_path, 5)
        killed.kill()
        output = finish(process, 2)
    assert f"{address}: the scheduler stopped answering" in output
    assert f"of {COUNT} are left. Run the same command to go on." in output
    assert "ungradable" not in output
    before = len(graded(tmp_path))
    with scheduler(tmp_path) as (address, _), workers(address, tmp_path, 2):
        grade(address, submissions, tmp_path / "marks")
    assert (tmp_path / "marks/marks.csv").read_bytes() == undisturbed
    # Two were being graded when the scheduler was killed.
    assert len(graded(tmp_path)) <= COUNT + 2
    assert before < COUNT


def test_an_interrupted_run_goes_on(submissions, tmp_path, undisturbed):
    with scheduler(tmp_path) as (address, _), workers(address, tmp_path, 2):
        with grading(address, submissions, tmp_path / "marks") as process:
            wait_for(tmp_path, 5)
            process.send_signal(signal.SIGINT)
            assert "are left. Run the same command to go on." in finish(process, 130)
        until(lambda: nothing_left(tmp_path), "no files are left")
        grade(address, submissions, tmp_path / "marks")
    assert (tmp_path / "marks/marks.csv").read_bytes() == undisturbed
    assert len(graded(tmp_path)) <= COUNT + 2
