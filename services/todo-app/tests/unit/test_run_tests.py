import signal
import sys

import pytest

import run_tests

PYTEST = [sys.executable, "-m", "pytest"]


@pytest.mark.parametrize("arguments", [[], ["tests/unit"], ["-k", "health"], ["-k", "watch"]])
@pytest.mark.parametrize("poll", ["", "1", "ignored"])
def test_arguments_are_passed_to_pytest_unchanged(arguments, poll):
    assert run_tests.command(arguments, poll) == [*PYTEST, *arguments]


def test_watch_watches_code_and_tests_without_the_browser_tests():
    command = run_tests.command(["watch"], "")
    assert command[0] == "ptw"
    assert command[-4:] == ["todo_app", "tests", "--", "--ignore=tests/e2e"]


def test_watch_passes_options_to_pytest():
    command = run_tests.command(["watch", "tests/e2e", "-x"], "")
    assert command[-5:] == ["todo_app", "tests", "--", "tests/e2e", "-x"]


@pytest.mark.parametrize(("poll", "polls"), [("", False), ("0", False), ("1", True)])
def test_watch_polls_if_test_poll_is_1(poll, polls):
    command = run_tests.command(["watch"], poll)
    assert ("--poll" in command[: command.index("--")]) is polls


def test_watch_prints_green_and_red():
    command = run_tests.command(["watch"], "")
    assert command[command.index("--onpass") + 1].startswith("echo GREEN: ")
    assert command[command.index("--onfail") + 1].startswith("echo RED: ")


@pytest.mark.parametrize("suffix", [".py", ".html", ".css", ".js"])
def test_watch_includes_every_kind_of_source_file(suffix):
    command = run_tests.command(["watch"], "")
    assert suffix in command[command.index("--ext") + 1].split(",")


def test_an_invalid_poll_flag_is_rejected():
    with pytest.raises(ValueError, match=r"^TEST_POLL is 'yes', expected 1 .* or 0 "):
        run_tests.command(["watch"], "yes")


@pytest.fixture
def _signals():
    """Restore this process's signal handlers after run() has changed them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize(("source", "code"), [("", 0), ("raise SystemExit(5)", 5)])
def test_the_exit_code_is_that_of_the_tests(source, code):
    assert run_tests.run([sys.executable, "-c", source]) == code


@pytest.mark.usefixtures("_signals")
def test_a_signal_becomes_the_exit_code_that_shells_use():
    dies = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    assert run_tests.run([sys.executable, "-c", dies]) == 128 + 15
