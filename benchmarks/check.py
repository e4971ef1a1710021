"""Compare a full check with the least work that it has to do.

The check of task 2 with a warm cache, and a script that builds, runs, requests, stops and removes
the same image.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import command
from benchmarks.images import new_name
from benchmarks.rounds import Case, run_program
from workshop.analysis import starter
from workshop.core.paths import ROOT
from workshop.engine import Engine
from workshop.tasks import course

if TYPE_CHECKING:
    from benchmarks.rounds import Rounds

TASK = course.task("task-2")
NAME = new_name()
BARE = f"""
set -e
docker build --quiet --tag {NAME} --file "$1/{TASK.answer[0]}" "$1" >/dev/null
docker run --detach --name {NAME} --publish 127.0.0.1::8000 {NAME} >/dev/null
at=$(docker port {NAME} 8000)
until curl --silent --fail "http://$at/" >/dev/null; do sleep 0.02; done
docker stop {NAME} >/dev/null
docker rm --volumes {NAME} >/dev/null
docker image rm {NAME} >/dev/null
"""


def measure(rounds: Rounds) -> None:
    """Check the reference solution, and run the script on it, in turn."""
    engine = Engine()
    engine.require("benchmark check")
    with tempfile.TemporaryDirectory() as folder:
        starter.copy_missing(TASK, Path(folder))
        starter.copy_solution(TASK, Path(folder))
        check = (sys.executable, "-m", "workshop", "check", TASK.name, folder)
        bare = ("sh", "-c", BARE, "sh", folder)
        try:
            rounds.compare(
                [
                    Case(
                        TASK.name,
                        "script",
                        lambda: {"full": run_program(bare, name="the script")[0]},
                    ),
                    Case(TASK.name, "check", lambda: {"full": run_program(check, cwd=ROOT)[0]}),
                ]
            )
        finally:
            engine.remove(NAME)
            engine.remove_images(NAME)


if __name__ == "__main__":
    sys.exit(command.main("check", measure))
