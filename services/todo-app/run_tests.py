"""The test image's entry point.

No arguments        every test, once
PATHS AND OPTIONS   handed to pytest: tests/unit, -k health, ...
watch [OPTIONS]     unit and integration tests, again on each change of a file, until stopped;
                    with OPTIONS, such as -k health, pytest gets those, and the browser tests run
                    too. TEST_POLL=1 looks at the files every second, for mounts that send no
                    events.
"""

import os
import signal
import subprocess
import sys

# Beside Python files, what the pages are made of.
WATCHED = ".py,.html,.css,.js"
FLAGS = {"": False, "0": False, "1": True}


def command(arguments: list[str], poll: str) -> list[str]:
    """Return the command that `arguments` ask for; raises ValueError when `poll` is no flag."""
    if arguments[:1] != ["watch"]:
        return [sys.executable, "-m", "pytest", *arguments]
    if poll not in FLAGS:
        raise ValueError(f"TEST_POLL is {poll!r}, wanted 1 (look at the files) or 0 (be told)")
    return [
        *("ptw", "--nobeep", "--ext", WATCHED),
        *("--onpass", "echo GREEN: every test passes, waiting for a change"),
        *("--onfail", "echo RED: see above, waiting for a change"),
        *(["--poll"] if FLAGS[poll] else []),
        *("todo_app", "tests", "--"),
        *(arguments[1:] or ["--ignore=tests/e2e"]),
    ]


def run(words: list[str]) -> int:
    """Run the command and return its exit code; SIGTERM ends it and everything it started."""
    # A group of its own, so that one signal also reaches the tests and browsers it starts.
    child = subprocess.Popen(words, start_new_session=True)  # noqa: S603
    # As process 1 of a container, Python would ignore SIGTERM.
    signal.signal(signal.SIGTERM, lambda *_: os.killpg(child.pid, signal.SIGTERM))
    signal.signal(signal.SIGINT, lambda *_: os.killpg(child.pid, signal.SIGINT))
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    try:
        words = command(sys.argv[1:], os.environ.get("TEST_POLL", ""))
    except ValueError as error:
        sys.exit(str(error))
    sys.exit(run(words))
