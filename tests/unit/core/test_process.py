"""Programs run until they exit, and none outlives the call that started it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import UserDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from harness import ROOT, until

from workshop.core.errors import Interrupted
from workshop.core.process import (
    FOLDER_PREFIX,
    KEPT_LINES,
    SECONDS_TO_END,
    ProcessResult,
    SubprocessRunner,
    remove_stale_folders,
    temporary_folder,
)


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", code]


def alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


NOTE_AND_WAIT = ["sh", "-c", "echo $$; exec sleep 60"]


BOTH = "import os; os.write(1, b'one\\n'); os.write(2, b'two\\n'); os.write(1, b'three\\n')"


def test_on_line_gets_both_outputs_in_order():
    lines = []
    SubprocessRunner()(python(BOTH), on_line=lines.append)
    assert lines == ["one", "two", "three"]


def test_who_asks_gets_the_answer_apart_from_the_errors():
    assert SubprocessRunner()(python(BOTH)) == ProcessResult(0, "one\nthree\ntwo\n", "one\nthree\n")


def test_the_exit_code_comes_back():
    assert SubprocessRunner()(["sh", "-c", "exit 7"]) == ProcessResult(7, "")


def test_a_missing_program_ends_with_127_and_its_name():
    done = SubprocessRunner()(["no-such-program", "--version"])
    assert done == ProcessResult(127, "no-such-program: No such file or directory")


def test_on_line_gets_lines_without_line_ends():
    lines = []
    SubprocessRunner()(["printf", "one\\n\\ntwo"], on_line=lines.append)
    assert lines == ["one", "", "two"]


def test_bytes_that_are_not_utf8_are_replaced():
    assert SubprocessRunner()(["printf", "caf\\351\\n"]).output == "caf\N{REPLACEMENT CHARACTER}\n"


def test_only_the_last_lines_are_kept():
    output = SubprocessRunner()(["seq", str(KEPT_LINES + 5)]).output.splitlines()
    assert (len(output), output[0], output[-1]) == (KEPT_LINES, "6", str(KEPT_LINES + 5))


def test_a_variable_is_added_to_the_environment(monkeypatch):
    monkeypatch.setenv("KEPT", "kept")
    code = "import os; print(os.environ['KEPT'], os.environ['ADDED'])"
    assert SubprocessRunner()(python(code), env={"ADDED": "added"}).output == "kept added\n"


@contextlib.contextmanager
def waiting_stdin():
    """Replace standard input by a pipe that blocks a reader, as a keyboard does."""
    ours, reading, writing = os.dup(0), *os.pipe()
    try:
        os.dup2(reading, 0)
        yield
    finally:
        os.dup2(ours, 0)
        for number in (ours, reading, writing):
            os.close(number)


def test_a_child_never_reads_the_keyboard():
    with waiting_stdin():
        assert SubprocessRunner()(["cat"], timeout=2) == ProcessResult(0, "")


def test_a_timeout_ends_a_program_with_code_124():
    pids = []
    done = SubprocessRunner()(NOTE_AND_WAIT, on_line=pids.append, timeout=0.2)
    assert done.code == 124
    assert not alive(int(pids[0]))


@pytest.mark.parametrize("code", [0, 3])
def test_a_program_within_its_timeout_keeps_its_exit_code(code):
    assert SubprocessRunner()(["sh", "-c", f"exit {code}"], timeout=5).code == code


def test_the_timeout_also_ends_a_childs_children():
    start = time.monotonic()
    SubprocessRunner()(["sh", "-c", "sleep 60; exit 0"], timeout=0.1)
    assert time.monotonic() - start < 30


def test_stop_ends_a_child_from_another_thread():
    runner, pids = SubprocessRunner(), []
    with ThreadPoolExecutor() as pool:
        call = pool.submit(runner, NOTE_AND_WAIT, on_line=pids.append)
        until(lambda: pids, "the child's pid", 5)
        runner.stop()
        assert call.result(timeout=5).code == -15
    assert not alive(int(pids[0]))


def test_no_program_starts_after_stop(tmp_path):
    runner = SubprocessRunner()
    runner.stop()
    with pytest.raises(Interrupted):
        runner(["touch", str(tmp_path / "started")])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [ValueError, Interrupted])
def test_no_child_is_left_if_on_line_raises(error):
    pids = []

    def on_line(line: str) -> None:
        pids.append(int(line))
        raise error

    with pytest.raises(error):
        SubprocessRunner()(NOTE_AND_WAIT, on_line=on_line)
    assert not alive(pids[0])


def test_a_child_that_starts_during_stop_is_ended(monkeypatch):
    runner, started = SubprocessRunner(), []
    popen = subprocess.Popen

    def start(*arguments, **options):
        started.append(popen(*arguments, **options))
        # Acts like the signal before `Popen` returns.
        assert runner.stop() is False
        return started[0]

    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(Interrupted):
        runner(["sleep", "60"])
    assert started[0].poll() == -15
    assert runner.stop() is True


def test_a_signal_may_call_stop_while_a_child_starts():
    runner = SubprocessRunner()

    class Interrupting(UserDict):
        """Acts like the signal at the moment when the environment is read."""

        def keys(self):
            runner.stop()
            raise Interrupted

    def start() -> None:
        with contextlib.suppress(Interrupted):
            runner(["true"], env=Interrupting(A="1"))

    thread = threading.Thread(target=start, daemon=True)
    thread.start()
    thread.join(timeout=1)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("output", "last"), [("", ""), ("one\n", "one"), ("one\n two \n\n  \n", "two")]
)
def test_the_last_line_is_the_last_that_is_not_blank(output, last):
    assert ProcessResult(0, output).last_line == last


@pytest.mark.parametrize("timeout", [None, 1])
def test_a_childs_temporary_files_are_removed_even_if_it_is_killed(timeout: float | None):
    wait = "; exec sleep 60" if timeout else ""
    argv = ("sh", "-c", f'touch "$TMPDIR/left"; echo "$TMPDIR"{wait}')
    folder = SubprocessRunner()(argv, timeout=timeout).stdout.strip()
    assert folder
    assert not Path(folder).exists()


def test_the_end_of_its_input_ends_a_program_that_ignores_sigterm():
    argv = ("sh", "-c", "trap '' TERM; cat")
    start = time.monotonic()
    with SubprocessRunner().interact(argv) as cat:
        assert cat.ask("hello", 10) == "hello"
    assert time.monotonic() - start < SECONDS_TO_END / 2


def test_stale_folders_of_a_killed_parent_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    parent = subprocess.Popen([sys.executable, "-c", ""])
    parent.wait()
    stale = tmp_path / f"{FOLDER_PREFIX}{parent.pid}-x"
    ours = tmp_path / f"{FOLDER_PREFIX}{os.getpid()}-x"
    for folder in (stale, ours, tmp_path / "workshop-other"):
        folder.mkdir()
    remove_stale_folders()
    assert not stale.exists()
    assert ours.exists()
    assert (tmp_path / "workshop-other").exists()


def test_all_temporary_files_of_a_process_are_in_one_folder_that_is_removed():
    before = tempfile.gettempdir()
    with temporary_folder() as folder:
        made = Path(tempfile.mkdtemp())
        assert made.parent == folder
    assert not folder.exists()
    assert tempfile.gettempdir() == before == str(folder.parent)


def test_the_temporary_files_of_a_killed_process_are_removed_by_another():
    program = (
        "import os, signal, tempfile; from workshop.core import process\n"
        "with process.temporary_folder() as folder:\n"
        "    tempfile.mkdtemp(); print(folder, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    argv = [sys.executable, "-c", program]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)
    folder = Path(done.stdout.strip())
    assert folder.is_dir()
    remove_stale_folders()
    assert not folder.exists()
