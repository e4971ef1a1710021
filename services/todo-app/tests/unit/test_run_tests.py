import signal
import sys

import pytest

import run_tests

PYTEST = [sys.executable, "-m", "pytest"]


@pytest.mark.parametrize("arguments", [[], ["tests/unit"], ["-k", "health"], ["-k", "watch"]])
@pytest.mark.parametrize("poll", ["", "1", "never read"])
def test_arguments_go_to_pytest_as_they_are(arguments, poll):
    assert run_tests.command(arguments, poll) == [*PYTEST, *arguments]


def test_watching_looks_at_code_and_tests_and_leaves_the_browser_out():
    words = run_tests.command(["watch"], "")
    assert words[0] == "ptw"
    assert words[-4:] == ["todo_app", "tests", "--", "--ignore=tests/e2e"]


def test_watching_takes_options_for_pytest():
    words = run_tests.command(["watch", "tests/e2e", "-x"], "")
    assert words[-5:] == ["todo_app", "tests", "--", "tests/e2e", "-x"]


@pytest.mark.parametrize(("poll", "polls"), [("", False), ("0", False), ("1", True)])
def test_watching_polls_when_told_to(poll, polls):
    words = run_tests.command(["watch"], poll)
    assert ("--poll" in words[: words.index("--")]) is polls


def test_watching_says_green_and_red():
    words = run_tests.command(["watch"], "")
    assert words[words.index("--onpass") + 1].startswith("echo GREEN: ")
    assert words[words.index("--onfail") + 1].startswith("echo RED: ")


@pytest.mark.parametrize("suffix", [".py", ".html", ".css", ".js"])
def test_watching_sees_every_kind_of_source_file(suffix):
    words = run_tests.command(["watch"], "")
    assert suffix in words[words.index("--ext") + 1].split(",")


def test_a_poll_that_is_no_flag_is_refused():
    with pytest.raises(ValueError, match=r"^TEST_POLL is 'yes', wanted 1 .* or 0 "):
        run_tests.command(["watch"], "yes")


@pytest.fixture
def _signals():
    """Undo what run() does to this process's own signals."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize(("source", "code"), [("", 0), ("raise SystemExit(5)", 5)])
def test_the_exit_code_is_the_tests_own(source, code):
    assert run_tests.run([sys.executable, "-c", source]) == code


@pytest.mark.usefixtures("_signals")
def test_a_signal_is_told_as_shells_tell_it():
    dies = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    assert run_tests.run([sys.executable, "-c", dies]) == 128 + 15
