"""Two workers, each with its own Docker engine, grade a class like one engine."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest
from dask_processes import PATHS, running, scheduler, worker
from distributed import Client
from harness import WORKSHOP, container, docker, run, until

from workshop.analysis import starter
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

# On a busy machine, a build takes minutes.
SECONDS = 300
TASK, BASE = "baby-steps", "ubuntu:24.04"
LEARNERS = ("anna", "ben", "carl", "dora", "emil")


class Machine(NamedTuple):
    """An engine, and the folder of its worker."""

    socket: str
    folder: Path

    def docker(self, *arguments: str) -> str:
        return docker("--host", self.socket, *arguments)


@contextlib.contextmanager
def machine(folder: Path, number: int) -> Iterator[Machine]:
    """Run an engine in the network namespace of a container, with one base image.

    In the host's namespace, it would change the network of the first engine.
    """
    socket = f"unix://{folder}/engine.sock"
    with container(BASE, "--network=bridge", command=("sleep", "infinity")) as place:
        process = docker("inspect", "--format", "{{.State.Pid}}", place.id)
        argv = [
            *("nsenter", f"--net=/proc/{process}/ns/net", "dockerd", "--host", socket),
            *("--bip", f"172.30.{number}.1/24", "--pidfile", f"{folder}/pid"),
            *("--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"),
        ]
        try:
            with running(argv, folder / "engine.log", {**os.environ}):
                info = ("docker", "--host", socket, "info")
                until(lambda: run(*info, check=False).returncode == 0, "an engine", SECONDS)
                load = f"docker save {BASE} | docker --host {socket} load"
                subprocess.run(["sh", "-c", load], check=True, stdout=subprocess.DEVNULL)
                yield Machine(socket, folder)
        finally:
            # The files of the engine, whatever pytest keeps.
            shutil.rmtree(folder / "data", ignore_errors=True)
            shutil.rmtree(folder / "exec", ignore_errors=True)


@pytest.fixture
def machines(engine, tmp_path_factory) -> Iterator[list[Machine]]:
    if os.geteuid() or not shutil.which("dockerd") or not engine.has(BASE):
        pytest.skip("more engines need root and dockerd on this machine")
    with contextlib.ExitStack() as stack:
        folders = [tmp_path_factory.mktemp("m") for _ in range(2)]
        yield [stack.enter_context(machine(folder, n)) for n, folder in enumerate(folders)]


@pytest.fixture
def submissions(tmp_path: Path) -> Path:
    """Five learners; the answer of one is wrong."""
    for learner in LEARNERS:
        folder = tmp_path / "submissions" / learner
        folder.mkdir(parents=True)
        starter.copy_solution(course.task(TASK), folder)
        with (folder / "Dockerfile").open("a", encoding="utf-8") as file:
            file.write(f"\n# {learner}\n")
    wrong = tmp_path / "submissions/carl/Dockerfile"
    text = wrong.read_text(encoding="utf-8")
    assert "ENV PATH=" in text
    wrong.write_text(text.replace("ENV PATH=", "# ENV PATH="), encoding="utf-8")
    return tmp_path / "submissions"


@contextlib.contextmanager
def grading(
    submissions: Path, out: Path, *options: str, **variables: str
) -> Iterator[subprocess.Popen[str]]:
    """Run the command until the block ends."""
    argv = [*WORKSHOP, "grade", str(submissions), "--task", TASK, "--out", str(out), *options]
    env = {**os.environ, "PYTHONPATH": PATHS, **variables}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(argv, env=env, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def kill_worker(address: str, name: str) -> None:
    """Kill the process of a worker, not the one that starts it again."""
    with Client(address, set_as_default=False) as client:
        workers = client.scheduler_info()["workers"]
        (victim,) = [url for url, found in workers.items() if found["name"] == name]
        process = client.run(os.getpid, workers=[victim])[victim]
    os.kill(process, signal.SIGKILL)


def records(folder: Path) -> list[dict[str, list[str]]]:
    """Return what the evaluations of a worker have created so far."""
    found = []
    for file in folder.glob("cache/workshop/engines/*/runs/*.json"):
        with contextlib.suppress(OSError, ValueError):
            found.append(json.loads(file.read_text()))
    return found


def is_clean(found: Machine) -> bool:
    """Whether a worker left nothing behind: neither in its engine nor in its folders."""
    images = found.docker("image", "ls", "--format", "{{.Repository}}").splitlines()
    return not (
        found.docker("ps", "--all", "--quiet")
        or found.docker("volume", "ls", "--quiet")
        or [name for name in images if name.startswith("workshop-")]
        or records(found.folder)
        or [*found.folder.glob("tmp/workshop-*")]
    )


def test_a_class_has_the_marks_of_a_serial_run_although_a_worker_is_killed(
    machines, submissions, tmp_path
):
    with contextlib.ExitStack() as stack:
        address, _ = stack.enter_context(scheduler(tmp_path))
        for name, found in zip("ab", machines, strict=True):
            host = {"DOCKER_HOST": found.socket}
            stack.enter_context(worker(address, found.folder, "--name", name, **host))
        command = grading(submissions, tmp_path / "marks", "--scheduler", address)
        process = stack.enter_context(command)
        assert process.stdout
        first = next(line for line in process.stdout if "[1 of 5" in line)
        until(lambda: any(one["images"] for one in records(machines[1].folder)), "a build", SECONDS)
        kill_worker(address, "b")
        output = first + process.communicate(timeout=4 * SECONDS)[0]
        assert process.returncode == 0, output
        assert "no longer connected" in output
        for found in machines:
            until(lambda found=found: is_clean(found), "an engine without leftovers", SECONDS)

    host = {"DOCKER_HOST": machines[0].socket, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with grading(submissions, tmp_path / "serial", "--jobs", "1", **host) as serial:
        output, _ = serial.communicate(timeout=4 * SECONDS)
    assert "0 already graded, 5 to grade" in output
    marks = (tmp_path / "marks/marks.csv").read_text(encoding="utf-8")
    assert marks == (tmp_path / "serial/marks.csv").read_text(encoding="utf-8")
    assert [line.split(",")[6] for line in marks.splitlines()[1:]] == [
        *("passed", "passed", "failed", "passed", "passed")
    ]
    # The verdicts have the same keys: here, nothing is left to grade.
    with grading(submissions, tmp_path / "marks", **host) as again:
        output, _ = again.communicate(timeout=4 * SECONDS)
    assert "5 already graded, 0 to grade" in output
