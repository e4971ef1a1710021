"""The commands start, check and solution without an engine: their output and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pexpect
import pytest
from harness import ROOT, WORKSHOP

from workshop.commands import progress
from workshop.model import Outcome, Result, Verdict
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE = "Dockerfile-nonroot"
ANSWER = ROOT / "services/fastapi" / FILE
NO_ENGINE = "tcp://127.0.0.1:1"


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Return a function that runs a command in an empty folder: its exit code and output."""

    def run_command(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            (*WORKSHOP, *arguments),
            cwd=tmp_path,
            env={**os.environ, "DOCKER_HOST": NO_ENGINE, "XDG_CACHE_HOME": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    return run_command


@pytest.fixture
def exercise(run, tmp_path: Path) -> Path:
    """The folder of a started task."""
    assert run("start", "task-5")[0] == 0
    return tmp_path / "exercises/fastapi"


def verdict_of(name: str) -> Verdict:
    task = course.task(name)
    return Verdict(task, tuple(Result(check, Outcome.FAILED) for check in task.checks))


def test_start_copies_the_starter_and_lists_the_requirements(run, tmp_path):
    code, output = run("start", "task-5")
    assert code == 0
    assert f"Write {FILE} there." in output
    assert course.task("task-5").checks[-1].title in output
    assert output.endswith("Then: workshop check task-5\n")
    assert (tmp_path / "exercises/fastapi/app/main.py").exists()
    assert not (tmp_path / "exercises/fastapi" / FILE).exists()
    assert max(map(len, output.splitlines())) <= 80


def test_start_overwrites_no_file(run, exercise):
    (exercise / "app/main.py").write_text("mine")
    code, output = run("start", "task-5")
    assert code == 0
    assert "0 new files" in output
    assert (exercise / "app/main.py").read_text() == "mine"


def test_start_in_another_folder_prints_it(run, tmp_path):
    code, output = run("start", "task-5", "my/place")
    assert code == 0
    assert output.endswith("Then: workshop check task-5 my/place\n")
    assert (tmp_path / "my/place/poetry.lock").exists()


def test_start_in_a_file_is_an_error(run, tmp_path):
    (tmp_path / "file").touch()
    error = "file: it is a file. Name a folder, which may be new\n"
    assert run("start", "task-5", "file") == (2, error)


def test_check_before_start_is_an_error_with_the_fix(run):
    assert run("check", "task-5") == (
        2,
        "exercises/fastapi: there is no such folder. Create it with: workshop start task-5\n",
    )


@pytest.mark.usefixtures("exercise")
def test_a_starter_fails_the_static_check(run):
    code, output = run("check", "task-5", "--static")
    assert code == 1
    assert "actual    no such file" in output


def test_the_reference_solution_passes_the_static_check(run, exercise):
    (exercise / FILE).write_bytes(ANSWER.read_bytes())
    code, output = run("check", "task-5", "--static")
    assert code == 0
    assert "No static check failed" in output


def test_without_an_engine_a_check_gives_no_grade(run, exercise):
    (exercise / FILE).write_bytes(ANSWER.read_bytes())
    code, output = run("check", "task-5")
    assert code == 2
    text = " ".join(output.split())
    assert "Not graded: no Docker engine answers. Start one with make up" in text


def test_the_current_folder_is_checked_if_it_has_the_answer(run, tmp_path):
    (tmp_path / FILE).write_bytes(ANSWER.read_bytes())
    assert run("check", "task-5", "--static")[0] == 0


def test_a_verdict_is_printed_as_json_or_as_junit(run, exercise):
    (exercise / FILE).write_text("FROM python:3.11-slim-bookworm\nUSER root\n")
    code, output = run("check", "task-5", "--static", "--format", "json")
    verdict = json.loads(output)
    assert (code, verdict["outcome"], verdict["static"]) == (1, "failed", True)
    failed = {check["id"]: check for check in verdict["checks"] if check["outcome"] == "failed"}
    assert failed["runs-as-non-root"]["line"] == 2
    code, output = run("check", "task-5", "--static", "--format", "junit")
    assert (code, ET.fromstring(output).tag) == (1, "testsuite")  # noqa: S314 - our own


def test_json_lines_end_with_the_verdict_of_json(run, exercise):
    (exercise / FILE).write_bytes(ANSWER.read_bytes())
    code, output = run("check", "task-5", "--static", "--format", "json-lines")
    *events, last = map(json.loads, output.splitlines())
    assert (code, events) == (0, [])
    assert last == {
        "verdict": json.loads(run("check", "task-5", "--static", "--format", "json")[1])
    }


def test_a_report_is_at_most_80_columns_wide(run, exercise):
    (exercise / FILE).write_text("FROM python\nUSER root\nCMD flask run --host 127.0.0.1\n")
    output = run("check", "task-5", "--static")[1]
    assert max(map(len, output.splitlines())) <= 80


@pytest.mark.usefixtures("exercise")
def test_no_solution_before_the_first_check(run):
    assert run("solution", "task-5") == (
        2,
        "task-5: it has no check yet. Run workshop check task-5 first, or add --yes\n",
    )
    assert run("solution", "task-5", "--yes")[0] == 0


def test_a_recorded_check_shows_the_solution(run, exercise):
    recorded = verdict_of("task-5")
    progress.record(exercise.parent, recorded)
    assert run("solution", "task-5")[0] == 0
    # Only the default folder is recorded.
    assert run("solution", "task-5", str(exercise))[0] == 2
    assert run("solution", "task-5", str(exercise), "--yes")[0] == 0


@pytest.mark.usefixtures("exercise")
def test_a_terminal_asks_before_it_shows_the_solution(tmp_path):
    question = "Show the solution before your first check? [y/N] "
    for answer, shown in {"y": True, "": False, "n": False}.items():
        child = pexpect.spawn(
            WORKSHOP[0], [*WORKSHOP[1:], "solution", "task-5"], cwd=tmp_path, encoding="utf-8"
        )
        child.expect_exact(question)
        child.sendline(answer)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0
        assert ("+++ reference/" in child.before) is shown


def test_solution_prints_a_diff(run, exercise):
    (exercise / FILE).write_text(ANSWER.read_text().replace("USER 10000", "USER root"))
    code, output = run("solution", "task-5", "--yes")
    assert code == 0
    assert "-USER root\n+USER 10000\n" in output
    assert output.startswith(f"--- yours/{FILE}\n+++ reference/{FILE}\n")


def test_solution_reports_an_identical_answer(run, exercise):
    (exercise / FILE).write_bytes(ANSWER.read_bytes().replace(b"\n", b"\r\n"))
    line = "Your answer is identical to the reference solution.\n"
    assert run("solution", "task-5", "--yes") == (0, line)


def test_an_unknown_format_is_one_line(run):
    code, output = run("check", "task-5", "--format", "xml")
    assert code == 2
    assert len(output.splitlines()) == 1


def test_start_inside_an_exercise_does_not_nest_folders(exercise: Path, monkeypatch):
    monkeypatch.chdir(exercise)
    done = subprocess.run(
        (*WORKSHOP, "start", "degrees-api"), capture_output=True, text=True, timeout=60, check=True
    )
    assert "../degrees_api: " in done.stdout
    assert (exercise.parent / "degrees_api").is_dir()
    assert not (exercise / "exercises").exists()


def test_a_task_in_parts_is_reported_with_its_parts(run):
    code, output = run("check", "task-3")
    assert code == 2
    assert "Did you mean task-3-1 or task-3-2?" in output


def test_a_hint_is_given_without_an_engine(run, exercise: Path):
    (exercise / FILE).write_text("FROM python:3.13-slim-trixie\n")
    code, output = run("hint", "task-5")
    assert code == 1
    assert "Lesson: fastapi/task-5" in output


def test_without_an_engine_a_right_text_has_no_hint(run, exercise: Path):
    (exercise / FILE).write_bytes(ANSWER.read_bytes())
    code, output = run("hint", "task-5")
    assert code == 2
    assert output == (
        "The text has no failure, and only a build can tell more, but no Docker engine\n"
        "answers. Start one with make up; see also workshop doctor\n"
    )


def test_a_start_is_recorded_and_listed(run, exercise: Path):
    assert progress.read(exercise.parent)["task-5"].state == "started"
    assert run("list")[1].endswith("Next: workshop check task-5 (lesson fastapi/task-5)\n")
    code, output = run("status")
    assert code == 0
    assert "Folder:  exercises/fastapi\n" in output
    assert "Engine:  none answers: make up starts one; see also workshop doctor\n" in output


def test_a_start_in_another_folder_is_not_recorded(run, tmp_path):
    assert run("start", "task-5", "my/place")[0] == 0
    assert not (tmp_path / "exercises").exists()


@pytest.mark.parametrize("command", ["list", "status", "start task-5", "check task-5"])
def test_a_current_folder_that_was_removed_is_one_line(command, tmp_path):
    (tmp_path / "gone").mkdir()
    argv = " ".join((*WORKSHOP, command))
    done = subprocess.run(
        ("sh", "-c", f"cd gone && rmdir ../gone && {argv}"),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DOCKER_HOST": NO_ENGINE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1:] == [
        "the current folder: it was removed. Change to another folder with cd"
    ]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["list"], ["status"], ["solution", "task-5"]])
def test_a_damaged_progress_file_is_one_line(command, run, exercise: Path):
    (exercise.parent / progress.FILE).write_text("[task-5\n")
    code, output = run(*command)
    assert code == 2
    assert "Correct or delete it" in output
    assert output.count("\n") == 1


def test_the_tasks_are_listed(run):
    code, output = run("list")
    assert code == 0
    assert "Next: workshop start baby-steps (lesson part-3/baby-steps)" in output


def test_the_version_is_printed(run):
    code, output = run("--version")
    assert code == 0
    assert output.startswith("workshop 0.")
