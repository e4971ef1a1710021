"""The words start, check, solution: what they print, and the code they end with; no engine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from harness import ROOT, WORKSHOP, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE = "Dockerfile-nonroot"
ANSWER = ROOT / "services/fastapi" / FILE
NO_ENGINE = "tcp://127.0.0.1:1"


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Types a word in an empty folder, where no engine answers: the exit code, and what is said."""

    def typed(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            (*WORKSHOP, *words),
            cwd=tmp_path,
            env={**os.environ, "DOCKER_HOST": NO_ENGINE, "XDG_CACHE_HOME": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    return typed


@pytest.fixture
def exercise(run, tmp_path: Path) -> Path:
    """A task that was started."""
    assert run("start", "task-5")[0] == 0
    return tmp_path / "exercises/fastapi"


def test_start_lays_out_the_starter_and_says_what_is_asked_for(run, tmp_path):
    code, said = run("start", "task-5")
    assert code == 0
    assert f"Write {FILE} there." in said
    assert "Runs as a non-root user" in said
    assert said.endswith("Then: workshop check task-5\n")
    assert (tmp_path / "exercises/fastapi/app/main.py").exists()
    assert not (tmp_path / "exercises/fastapi" / FILE).exists()
    assert max(map(len, said.splitlines())) <= 80


def test_start_again_overwrites_nothing(run, exercise):
    (exercise / "app/main.py").write_text("mine")
    code, said = run("start", "task-5")
    assert code == 0
    assert "0 files new" in said
    assert (exercise / "app/main.py").read_text() == "mine"


def test_start_elsewhere_says_so(run, tmp_path):
    code, said = run("start", "task-5", "my/place")
    assert code == 0
    assert said.endswith("Then: workshop check task-5 my/place\n")
    assert (tmp_path / "my/place/poetry.lock").exists()


def test_start_in_a_file_is_one_line(run, tmp_path):
    (tmp_path / "file").touch()
    assert run("start", "task-5", "file") == (
        2,
        "file: it is a file. Name a folder, or one that is not there yet\n",
    )


def test_a_check_before_the_start_says_how_to_start(run):
    assert run("check", "task-5") == (
        2,
        "exercises/fastapi: there is no such folder. Make it with: workshop start task-5\n",
    )


@pytest.mark.usefixtures("exercise")
def test_a_starter_fails_by_its_text(run):
    code, said = run("check", "task-5", "--static")
    assert code == 1
    assert "actual    no such file" in said


def test_the_answer_passes_by_its_text(run, exercise):
    (exercise / FILE).write_bytes(ANSWER.read_bytes())
    code, said = run("check", "task-5", "--static")
    assert code == 0
    assert "The text shows nothing wrong" in said


def test_without_an_engine_a_check_is_no_grade(run, exercise):
    (exercise / FILE).write_bytes(ANSWER.read_bytes())
    code, said = run("check", "task-5")
    assert code == 2
    assert "Not graded: no Docker engine answers. Start one with make up" in " ".join(said.split())


def test_the_folder_that_we_are_in_is_checked_where_it_has_the_answer(run, tmp_path):
    (tmp_path / FILE).write_bytes(ANSWER.read_bytes())
    assert run("check", "task-5", "--static")[0] == 0


def test_a_verdict_can_be_had_as_json_and_as_junit(run, exercise):
    (exercise / FILE).write_text("FROM python:3.11-slim-bookworm\nUSER root\n")
    code, said = run("check", "task-5", "--static", "--format", "json")
    verdict = json.loads(said)
    assert (code, verdict["outcome"], verdict["static"]) == (1, "failed", True)
    failed = {check["id"]: check for check in verdict["checks"] if check["outcome"] == "failed"}
    assert failed["runs-as-non-root"]["line"] == 2
    code, said = run("check", "task-5", "--static", "--format", "junit")
    assert (code, ET.fromstring(said).tag) == (1, "testsuite")  # noqa: S314 - our own


def test_a_line_for_a_screen_is_at_most_80_wide(run, exercise):
    (exercise / FILE).write_text("FROM python\nUSER root\nCMD flask run --host 127.0.0.1\n")
    said = run("check", "task-5", "--static")[1]
    assert max(map(len, said.splitlines())) <= 80


def test_a_solution_is_shown_as_a_difference(run, exercise):
    (exercise / FILE).write_text(ANSWER.read_text().replace("USER 10000", "USER root"))
    code, said = run("solution", "task-5")
    assert code == 0
    assert "-USER root\n+USER 10000\n" in said
    assert said.startswith(f"--- yours/{FILE}\n+++ the kit's/{FILE}\n")


def test_a_solution_that_is_the_kits_own_says_so(run, exercise):
    (exercise / FILE).write_bytes(ANSWER.read_bytes().replace(b"\n", b"\r\n"))
    assert run("solution", "task-5") == (0, "Your answer is the kit's own, letter for letter.\n")


def test_an_unknown_format_is_one_line(run):
    code, said = run("check", "task-5", "--format", "xml")
    assert code == 2
    assert len(said.splitlines()) == 1


def test_a_watched_folder_is_checked_again_at_every_save(exercise, tmp_path):
    (exercise / FILE).write_text("FROM python:3.11-slim-bookworm\nUSER root\n")
    words = (*WORKSHOP, "check", "task-5", "--static", "--watch")
    with (tmp_path / "said").open("w+") as paper:
        child = subprocess.Popen(words, cwd=tmp_path, stdout=paper, stderr=subprocess.STDOUT)

        def said() -> str:
            return (tmp_path / "said").read_text()

        until(lambda: said().count("Waiting for a file") == 1, "a first check")
        assert "actual    USER root" in said()
        (exercise / FILE).write_bytes(ANSWER.read_bytes())
        until(lambda: "The text shows nothing wrong" in said(), "a second check")
        child.send_signal(signal.SIGINT)
        child.wait(20)
    assert "Traceback" not in said()
