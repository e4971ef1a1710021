"""Entry point of the test image.

No arguments        run all tests once
PATHS AND OPTIONS   run pytest with them: tests/unit, -k health, ...
watch [OPTIONS]     run the unit and integration tests again on every file change, until stopped.
                    OPTIONS, such as -k health, are passed to pytest instead; then the browser
                    tests run too. TEST_POLL=1 polls the files every second, for mounts that send
                    no file events.
"""

import os
import signal
import subprocess
import sys

# Python files, and the files that the pages are made of.
WATCHED = ".py,.html,.css,.js"
FLAGS = {"": False, "0": False, "1": True}


def command(arguments: list[str], poll: str) -> list[str]:
    """Return the command for `arguments`; raises ValueError if `poll` is not a valid flag."""
    if arguments[:1] != ["watch"]:
        return [sys.executable, "-m", "pytest", *arguments]
    if poll not in FLAGS:
        raise ValueError(f"TEST_POLL is {poll!r}, expected 1 (poll files) or 0 (use file events)")
    return [
        *("ptw", "--nobeep", "--ext", WATCHED),
        *("--onpass", "echo GREEN: every test passes, waiting for a change"),
        *("--onfail", "echo RED: see above, waiting for a change"),
        *(["--poll"] if FLAGS[poll] else []),
        *("todo_app", "tests", "--"),
        *(arguments[1:] or ["--ignore=tests/e2e"]),
    ]


def run(argv: list[str]) -> int:
    """Run the command and return its exit code; SIGTERM stops it and its child processes."""
    # A separate process group, so that one signal also reaches its tests and browsers.
    child = subprocess.Popen(argv, start_new_session=True)  # noqa: S603
    # As process 1 of a container, Python ignores SIGTERM without a handler.
    signal.signal(signal.SIGTERM, lambda *_: os.killpg(child.pid, signal.SIGTERM))
    signal.signal(signal.SIGINT, lambda *_: os.killpg(child.pid, signal.SIGINT))
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    try:
        argv = command(sys.argv[1:], os.environ.get("TEST_POLL", ""))
    except ValueError as error:
        sys.exit(str(error))
    sys.exit(run(argv))
