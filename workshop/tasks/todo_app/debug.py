"""The debug image: it waits until an editor attaches."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.checks import config
from workshop.model import Failed, check

if TYPE_CHECKING:
    from workshop.analysis.container.app import App
    from workshop.grading.evaluation import Evaluation

IDLE_SECONDS = 3.0
_FLASK_COMMANDS = (
    ("flask",),
    ("poetry", "run", "flask"),
    (".venv/bin/flask",),
    ("python", "-m", "flask"),
)


@dataclass(frozen=True)
class IdleContainer:
    """A container some seconds after its start, with its processes.

    `has_flask` tells whether an editor that attaches can run flask.
    """

    app: App
    processes: tuple[str, ...]
    has_flask: bool


def observe_idle(evaluation: Evaluation, of: str) -> IdleContainer:
    """Start a container, wait, and observe it."""
    app = evaluation.start(of)
    time.sleep(IDLE_SECONDS)
    processes = tuple(process.command for process in app.processes)
    has_flask = any(
        evaluation.engine.execute(app.name, (*command, "--version"), timeout=60).code == 0
        for command in _FLASK_COMMANDS
    )
    return IdleContainer(app, processes, has_flask)


@check(
    points=1,
    text=config.has_stage,
    blame=("CMD", "ENTRYPOINT"),
    why="An editor attaches to a running container and starts flask in it.",
    hint="FROM development AS debug, with a CMD that only waits: tail -f /dev/null.",
)
def waits_for_editor(idle_container: IdleContainer) -> None:
    """The debug image keeps running without starting flask."""
    app, processes = idle_container.app, idle_container.processes
    if not processes:
        raise Failed(f"the container ended\n{app.logs}".strip(), "a container that waits")
    if app.port:
        actual = f"the container listens on port {app.port}: {processes[0]}"
        raise Failed(actual, "a container without a server")
    if not idle_container.has_flask:
        raise Failed("the container cannot run flask", "flask, for the editor to start")
