"""The debug image: it waits for an editor to attach to it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.model import Failed, check
from workshop.tasks.todo_app.target import LESSON, has_target

if TYPE_CHECKING:
    from workshop.analysis.container.app import App
    from workshop.grading.evaluation import Evaluation

IDLE_SECONDS = 3.0


@dataclass(frozen=True)
class Waiting:
    """A container that was left alone: what its processes are, and where they listen.

    `flask` is true where somebody who attaches to it can run flask.
    """

    app: App
    processes: tuple[str, ...]
    flask: bool


def wait(evaluation: Evaluation, of: str) -> Waiting:
    """Start a container, and see what it does by itself."""
    app = evaluation.start(of)
    time.sleep(IDLE_SECONDS)
    processes = tuple(process.command for process in app.processes)
    tries = (
        ("flask",),
        ("poetry", "run", "flask"),
        (".venv/bin/flask",),
        ("python", "-m", "flask"),
    )
    flask = any(
        evaluation.engine.execute(app.name, (*words, "--version"), timeout=60).code == 0
        for words in tries
    )
    return Waiting(app, processes, flask)


@check(
    points=1,
    lesson=LESSON,
    text=has_target,
    blame=("CMD", "ENTRYPOINT"),
    why="An editor attaches to a container that runs, and starts flask there by itself.",
    hint="FROM development AS debug, with a CMD that only waits: tail -f /dev/null.",
)
def waits_for_editor(waiting: Waiting) -> None:
    """The debug image starts, waits, and does not run flask."""
    if not waiting.processes:
        raise Failed(f"it ended by itself\n{waiting.app.logs}".strip(), "a container that waits")
    if waiting.app.port:
        actual = f"it listens on port {waiting.app.port}: {waiting.processes[0]}"
        raise Failed(actual, "a container in which nothing listens yet")
    if not waiting.flask:
        raise Failed("flask cannot be run in it", "flask, for whoever attaches to it")
