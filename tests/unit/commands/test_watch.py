"""`workshop check --watch` in a real terminal, and with its output in a file."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import termios
from typing import TYPE_CHECKING

import pexpect
import pytest
from harness import ROOT, WORKSHOP, until

from workshop.commands import progress
from workshop.core.errors import UserError
from workshop.grading.watch import polls
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "Dockerfile-nonroot"
ANSWER = ROOT / "services/fastapi" / FILE
ROOT_USER = "FROM python:3.11-slim-bookworm\nUSER root\nEXPOSE 8000\n"
CLEAR = "\x1b[2J"
KEYS = "h hint  l list  n next task  r run again  q quit"
STOPPED = "Stopped watching task-5."
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def exercise(tmp_path: Path) -> Path:
    """The folder of a started task with an answer that fails."""
    subprocess.run((*WORKSHOP, "start", "task-5"), cwd=tmp_path, capture_output=True, check=True)
    folder = tmp_path / "exercises/fastapi"
    (folder / FILE).write_text(ROOT_USER)
    return folder


class Terminal:
    """A terminal of 80 columns in which `workshop check --watch` runs."""

    def __init__(self, folder: Path, *arguments: str, task: str = "task-5") -> None:
        self.child = pexpect.spawn(
            WORKSHOP[0],
            [*WORKSHOP[1:], "check", task, "--watch", *arguments],
            cwd=folder,
            env={**os.environ, "TERM": "xterm"},
            encoding="utf-8",
            dimensions=(40, 80),
            timeout=30,
        )
        self.settings = termios.tcgetattr(self.child.child_fd)

    def wait_for(self, text: str) -> str:
        """Wait for a text; return what was shown before it, without colours."""
        self.child.expect_exact(text)
        return ESCAPES.sub("", self.child.before).replace("\r\n", "\n")

    def press(self, keys: str) -> None:
        self.child.send(keys)

    def end(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and the rest of the output."""
        self.child.expect(pexpect.EOF)
        assert termios.tcgetattr(self.child.child_fd) == self.settings
        self.child.close()
        rest = ESCAPES.sub("", self.child.before)
        for unwanted in ("Traceback", "KeyboardInterrupt", "Interrupted"):
            assert unwanted not in rest
        return self.child.exitstatus, rest


@pytest.fixture
def terminal(exercise: Path, tmp_path: Path) -> Iterator[Terminal]:  # noqa: ARG001 - it is started
    found = Terminal(tmp_path, "--static")
    yield found
    found.child.close(force=True)


def test_a_save_clears_the_screen_and_shows_what_changed(terminal: Terminal, exercise: Path):
    terminal.wait_for(CLEAR)
    shown = terminal.wait_for(KEYS)
    assert "actual    USER root" in shown
    assert "where     Dockerfile-nonroot, line 2" in shown
    assert "Fixed" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    (exercise / FILE).write_text(ANSWER.read_text())
    terminal.wait_for(CLEAR)
    shown = terminal.wait_for(KEYS)
    assert "Fixed: Runs as a non-root user" in shown
    assert "FAILED" not in shown
    (exercise / FILE).write_text(ANSWER.read_text().replace("USER 10000", "USER root"))
    terminal.wait_for(CLEAR)
    assert "New: Runs as a non-root user" in terminal.wait_for(KEYS)
    terminal.press("q")
    code, rest = terminal.end()
    assert code == 1
    assert rest.split() == STOPPED.split()


def test_each_press_of_h_shows_the_hint_of_the_next_failure(terminal: Terminal):
    terminal.wait_for(KEYS)
    terminal.press("h")
    first = terminal.wait_for(KEYS)
    terminal.press("h")
    second = terminal.wait_for(KEYS)
    assert "Lesson: fastapi/task-5" in first
    assert "Lesson: fastapi/task-5" in second
    assert first != second


def test_the_tasks_are_listed_and_the_check_is_repeated(terminal: Terminal):
    terminal.wait_for(KEYS)
    terminal.press("l")
    assert f"0 of {len(course.TASKS)} tasks passed." in terminal.wait_for(KEYS)
    terminal.press("r")
    terminal.wait_for(CLEAR)
    assert "actual    USER root" in terminal.wait_for(KEYS)


def test_an_unknown_key_does_nothing(terminal: Terminal):
    terminal.wait_for(KEYS)
    terminal.press("x\x1b[A7q")
    assert terminal.end() == (1, f"\r{' ' * len(KEYS)}\r{STOPPED}\r\n")


def test_keys_that_come_during_a_check_are_not_lost(exercise: Path, tmp_path: Path):
    assert exercise.is_dir()
    terminal = Terminal(tmp_path, "--static")
    terminal.press("hq")
    code, shown = terminal.end()
    assert code == 1
    assert "Lesson: fastapi/task-5" in shown


def test_the_last_task_has_no_next_one(terminal: Terminal):
    terminal.wait_for(KEYS)
    terminal.press("n")
    assert "task-5 is the last task." in terminal.wait_for(KEYS)


def test_n_starts_and_watches_the_next_task(exercise: Path, tmp_path: Path):
    (exercise.parent / progress.FILE).unlink()
    terminal = Terminal(tmp_path, "--static", task="task-4")
    terminal.wait_for(KEYS)
    terminal.press("n")
    assert "Write Dockerfile-nonroot there." in terminal.wait_for(KEYS)
    assert progress.read(exercise.parent)["task-5"].state == "started"
    terminal.press("h")
    assert "Press r to check" in terminal.wait_for(KEYS)
    (exercise / FILE).touch()
    assert "actual    USER root" in terminal.wait_for(KEYS)
    terminal.press("q")
    assert terminal.end()[1].split() == STOPPED.split()


def test_ctrl_c_ends_quietly(terminal: Terminal):
    terminal.wait_for(KEYS)
    terminal.child.sendintr()
    code, rest = terminal.end()
    assert code == 1
    assert rest.replace("^C", "").split() == STOPPED.split()


def test_sigterm_restores_the_terminal(terminal: Terminal):
    terminal.wait_for(KEYS)
    terminal.child.kill(signal.SIGTERM)
    code, rest = terminal.end()
    assert code == 1
    assert rest.split() == STOPPED.split()


def test_a_damaged_progress_file_is_one_line(terminal: Terminal, exercise: Path):
    terminal.wait_for(KEYS)
    (exercise.parent / progress.FILE).write_text("[")
    terminal.press("l")
    assert "Correct or delete it" in terminal.wait_for(KEYS)
    terminal.press("q")
    terminal.end()


def test_a_missing_folder_is_one_line(tmp_path: Path):
    done = subprocess.run(
        (*WORKSHOP, "check", "task-5", "--watch"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "exercises/fastapi: there is no such folder. Create it with: workshop start task-5\n"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_file_gets_plain_lines_at_every_save(exercise, tmp_path, number):
    argv = (*WORKSHOP, "check", "task-5", "--static", "--watch")
    log = tmp_path / "log"
    with log.open("w+") as stream:
        child = subprocess.Popen(argv, cwd=tmp_path, stdout=stream, stderr=subprocess.STDOUT)
        until(lambda: log.read_text().count("Waiting for a file") == 1, "a first check")
        assert "actual    USER root" in log.read_text()
        (exercise / FILE).write_bytes(ANSWER.read_bytes())
        until(lambda: log.read_text().count("Waiting for a file") == 2, "a second check")
        child.send_signal(number)
        assert child.wait(20) == 0
    shown = log.read_text()
    assert "No static check failed" in shown
    assert shown.endswith(f"Press Ctrl-C to quit.\n\n{STOPPED}\n")
    for unwanted in ("Traceback", "KeyboardInterrupt", "\x1b", KEYS):
        assert unwanted not in shown


def test_a_save_between_two_polls_is_not_lost(tmp_path: Path):
    changes = polls(tmp_path)
    assert next(changes) is False
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    until(lambda: next(changes), "a change")
    (tmp_path / "__pycache__").mkdir()
    assert not any(next(changes) for _ in range(3))
    changes.close()


def test_a_folder_that_cannot_be_watched_is_one_line(tmp_path: Path):
    with pytest.raises(UserError, match="it cannot be watched"):
        next(polls(tmp_path / "none"))
