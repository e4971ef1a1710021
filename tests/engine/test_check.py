"""`workshop check` prints a verdict or a one-line error, and cleans up in either case."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import termios
from typing import TYPE_CHECKING

import pexpect
import pytest
from harness import ROOT, WORKSHOP, Proxy, docker, until
from rubric.examples import lay_out_answer

from workshop.analysis import source
from workshop.grading import cleanup, grade
from workshop.grading.cache import Cache
from workshop.grading.evaluation import Evaluation
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from workshop.engine import Engine
    from workshop.model import Verdict

TASK = course.task("task-5")
FILE = TASK.answer[0]
NAMES = "workshop-check-"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A learner's folder with the reference solution."""
    folder = tmp_path / "learner"
    folder.mkdir()
    lay_out_answer(TASK, folder)
    return folder


@pytest.fixture
def own(engine: Engine, tmp_path: Path) -> Iterator[dict[str, str]]:  # noqa: ARG001 - needs one
    """An environment for checks with its own temporary folder and cache; asserts the cleanup."""
    (tmp_path / "tmp").mkdir()
    cache = tmp_path / "cache"
    yield {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "XDG_CACHE_HOME": str(cache)}
    assert list((tmp_path / "tmp").iterdir()) == []
    assert [*cache.glob("workshop/runs/*")] == []


@pytest.fixture
def check(own: dict[str, str], folder: Path) -> Callable[..., tuple[int, str]]:
    """Run `workshop check` on the folder; return the exit code and the output."""

    def run(
        *arguments: str, task: str = TASK.name, path: Path = folder, **env: str
    ) -> tuple[int, str]:
        done = subprocess.run(
            (*WORKSHOP, "check", task, str(path), *arguments),
            env={**own, **env},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        output = done.stdout + done.stderr
        assert "Traceback" not in output
        return done.returncode, output

    return run


def containers_of(folder: Path) -> list[str]:
    """Return the containers that running checks have recorded."""
    records = [json.loads(file.read_text()) for file in folder.glob("workshop/runs/*.json")]
    return [name for record in records for name in record["containers"]]


def test_the_reference_solution_passes(check):
    code, output = check()
    assert code == 0, output
    assert f"{TASK.max_score} of {TASK.max_score} points: everything passed." in output


@pytest.mark.slow
def test_the_verdict_is_available_as_json(check):
    code, output = check("--format", "json")
    verdict = json.loads(output)
    assert code == 0
    assert (verdict["schema"], verdict["outcome"]) == ("workshop/verdict/v1", "passed")
    assert verdict["standin_bases"] in {True, False}


@pytest.mark.slow
def test_windows_line_endings_pass(check, folder):
    for path in (folder / FILE, folder / ".dockerignore", folder / "app/main.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    code, output = check()
    assert code == 0, output


@pytest.mark.slow
def test_a_link_to_a_folder_is_graded(check, folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    assert check(path=tmp_path / "link")[0] == 0


@pytest.mark.parametrize(
    ("content", "actual"),
    [
        (None, "no such file"),
        (b"", f"{FILE} is empty"),
        (b"\x7fELF\x02\x01\x00\x00", f"{FILE} is a binary file"),
        (b"# a line\n" * 600_000, f"{FILE} has 5.4 MB"),
        (b"RUN true\n", "no FROM instruction"),
    ],
    ids=["missing", "empty", "binary", "huge", "no-stage"],
)
def test_an_invalid_dockerfile_gets_a_verdict(check, folder, content, actual):
    (folder / FILE).unlink()
    if content is not None:
        (folder / FILE).write_bytes(content)
    code, output = check()
    assert code == 1
    assert f"actual    {actual}" in output


def test_a_name_in_the_wrong_case_gets_a_verdict(check, folder):
    (folder / FILE).rename(folder / FILE.lower())
    code, output = check()
    assert code == 1
    assert f"hint      Rename {FILE.lower()} to {FILE}." in output


def test_an_unknown_task_is_a_one_line_error(check):
    assert check(task="task5") == (
        2,
        "task task5: no such task. Did you mean task-5?\n",
    )


def test_a_missing_folder_is_a_one_line_error(check, tmp_path):
    code, output = check(path=tmp_path / "nowhere")
    assert code == 2
    assert output.endswith("there is no such folder. Create it with: workshop start task-5\n")


@pytest.mark.slow
def test_a_container_that_ends_at_once_shows_its_last_lines(check, folder):
    main = folder / "app/main.py"
    # Only stdout: Docker does not keep the order of two streams.
    main.write_text(
        "for n in range(40): print('line', n)\nprint('no settings')\nraise SystemExit(3)\n"
    )
    code, output = check()
    assert code == 1
    assert "the container ended by itself with exit code" in output
    assert "| no settings" in output
    assert "| line 39" in output
    assert "| line 10" not in output


def test_a_build_that_fails_shows_the_step(check, folder):
    (folder / FILE).write_text("FROM python:3.11-slim-bookworm\nRUN echo no luck >&2; exit 3\n")
    code, output = check()
    assert code == 1
    assert "step [2/2] RUN echo no luck >&2; exit 3 failed: no luck" in " ".join(output.split())


def test_a_base_image_that_cannot_be_pulled_is_not_graded_as_a_build_failure(check, folder):
    (folder / FILE).write_text("FROM python:3.11-slim-nowhere\n")
    code, output = check(HTTPS_PROXY="http://127.0.0.1:9")
    assert (code, "ERROR" in output) in {(2, True), (1, False)}, output


@pytest.fixture
def judge(engine: Engine, folder: Path, tmp_path: Path) -> Callable[..., Verdict]:
    """Grade the folder with shorter time-outs than the command."""

    def run(**timeouts: float) -> Verdict:
        cache = Cache(tmp_path / "cache/workshop")
        with Evaluation(engine, source.find(TASK, folder), cache, **timeouts) as evaluation:
            return grade.full(evaluation)

    return run


@pytest.mark.slow
def test_a_watched_answer_is_built_at_every_save_until_ctrl_c(own, folder):
    child = pexpect.spawn(
        WORKSHOP[0],
        [*WORKSHOP[1:], "check", TASK.name, str(folder), "--watch"],
        env={**own, "TERM": "xterm"},
        cwd=ROOT,
        encoding="utf-8",
        dimensions=(40, 80),
        timeout=300,
    )
    before = termios.tcgetattr(child.child_fd)
    child.expect_exact("everything passed.")
    child.expect_exact("q quit")
    dockerfile = (folder / FILE).read_text()
    (folder / FILE).write_text(dockerfile.replace("USER 10000", "USER root"))
    child.expect_exact("Building and running it")
    child.expect_exact("New: Runs as a non-root user")
    child.expect_exact("q quit")
    (folder / FILE).write_text(f"{dockerfile}RUN sleep 600\n")
    child.expect_exact("RUN sleep 600")
    child.sendintr()
    child.expect(pexpect.EOF)
    assert termios.tcgetattr(child.child_fd) == before
    child.close()
    # The code of the last verdict.
    assert child.exitstatus == 1
    assert f"Stopped watching {TASK.name}." in child.before
    assert "nterrupt" not in child.before


@pytest.mark.slow
def test_an_endless_build_is_stopped(judge, folder):
    nonce = secrets.token_hex(8)
    (folder / FILE).write_text(f"FROM python:3.11-slim-bookworm\nRUN : {nonce}; sleep 600\n")
    result = next(r for r in judge(build_seconds=3).results if r.check.id == "builds")
    assert result.actual == "the build did not end within 3 s"


@pytest.mark.slow
def test_a_port_that_never_opens_is_reported_with_the_logs(judge, folder):
    (folder / "app/main.py").write_text(
        "import time\nprint('waiting for the database', flush=True)\ntime.sleep(600)\n"
    )
    result = next(r for r in judge(start_seconds=10).results if r.check.id == "server-starts")
    assert result.actual.startswith("nothing listens on port 8000 after 10 s")
    assert "waiting for the database" in result.actual


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_check_cleans_up(own, folder, tmp_path, number):
    main = folder / "app/main.py"
    main.write_text("import time\ntime.sleep(600)\n")
    cache = tmp_path / "cache"
    arguments = (*WORKSHOP, "check", TASK.name, str(folder))
    with subprocess.Popen(
        arguments, env=own, cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        names = until(lambda: containers_of(cache)[1:], "containers of a check", 60)
        until(lambda: docker("ps", "--quiet", "--filter", f"name={names[-1]}"), "a container", 60)
        process.send_signal(number)
        output = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "Interrupted" in output
    for name in names:
        assert docker("ps", "--all", "--quiet", "--filter", f"name={name}") == ""


@pytest.mark.slow
def test_the_next_check_cleans_up_after_a_killed_one(own, check, folder, tmp_path):
    main = folder / "app/main.py"
    main.write_text("import time\ntime.sleep(600)\n")
    cache = tmp_path / "cache"
    arguments = (*WORKSHOP, "check", TASK.name, str(folder))
    with subprocess.Popen(arguments, env=own, cwd=ROOT, start_new_session=True) as process:
        names = until(lambda: containers_of(cache)[1:], "containers of a check", 60)
        until(lambda: docker("ps", "--quiet", "--filter", f"name={names[-1]}"), "a container", 60)
        process.kill()
    shutil.copy(ROOT / TASK.folder / "app/main.py", main)
    assert check()[0] == 0
    for name in names:
        assert docker("ps", "--all", "--quiet", "--filter", f"name={name}") == ""
    with contextlib.suppress(FileNotFoundError):
        assert [*(cache / "workshop/runs").iterdir()] == []


@pytest.mark.slow
def test_an_engine_that_stops_during_a_check_gives_no_grade(own, folder, tmp_path, engine):
    main = folder / "app/main.py"
    main.write_text("import time\ntime.sleep(600)\n")
    proxy = Proxy(tmp_path / "engine.sock")
    arguments = (*WORKSHOP, "check", TASK.name, str(folder))
    env = {**own, "DOCKER_HOST": f"unix://{tmp_path}/engine.sock"}
    with subprocess.Popen(
        arguments, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        names = until(lambda: containers_of(tmp_path / "cache")[1:], "containers of a check", 60)
        until(lambda: docker("ps", "--quiet", "--filter", f"name={names[-1]}"), "a container", 60)
        proxy.close()
        (tmp_path / "engine.sock").unlink()
        output = process.communicate(timeout=120)[0]
    assert process.returncode == 2
    assert "Not graded: no Docker engine answers" in output
    assert "Traceback" not in output
    # What the check could not remove is removed by the next one that reaches the engine.
    assert docker("ps", "--all", "--quiet", "--filter", f"name={names[-1]}")
    cleanup.remove_stale(tmp_path / "cache/workshop/runs", engine)
    assert not docker("ps", "--all", "--quiet", "--filter", f"name={names[-1]}")
