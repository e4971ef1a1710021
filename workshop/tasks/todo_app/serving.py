"""The app as a container serves it: what it is asked, and what it answers."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.model import Check, Failed, check
from workshop.tasks.todo_app.target import LESSON, has_target

if TYPE_CHECKING:
    from workshop.analysis.container.app import Answer, App
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source
    from workshop.grading.evaluation import Evaluation

OK = 200
PATIENCE_SECONDS = 45.0
POLL_SECONDS = 0.2

EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - what a container's server has to listen on
LOCALHOST = re.compile(r"(?:127\.0\.0\.1|localhost)(?!\S*/)")

# A file of the debugger that Flask's own server adds to every page in debug mode.
DEBUGGER = "/?__debugger__=yes&cmd=resource&f=style.css"


@dataclass(frozen=True)
class Served:
    """An image, and its server while it runs."""

    image: Image
    app: App


def serve(evaluation: Evaluation, of: str) -> Served:
    """The two together."""
    return Served(evaluation.fact("image", of), evaluation.fact("app", of))


def _exposed_by_text(source: Source) -> None:
    if not source.final().ports:
        raise Failed("no EXPOSE", "EXPOSE with the port that the server listens on")


@check(
    points=1,
    lesson=LESSON,
    text=_exposed_by_text,
    blame=("EXPOSE",),
    why="EXPOSE publishes nothing: it tells people and tools where the server listens.",
    hint="EXPOSE 8000 for gunicorn, EXPOSE 5000 for flask; or the number that you chose.",
)
def exposes_its_port(served: Served) -> None:
    """EXPOSE names the port that the server listens on."""
    listening = f"{served.app.port}/tcp"
    if listening not in served.image.ports:
        actual = f"EXPOSE names {', '.join(sorted(served.image.ports)) or 'nothing'}"
        raise Failed(f"{actual}, and the server listens on {listening}", f"EXPOSE {listening}")


def starts(hint: str, points: int = 2) -> Check:
    """The server comes up, on a port of the learner's choice."""

    @check(
        points=points,
        lesson=LESSON,
        text=has_target,
        blame=("CMD", "ENTRYPOINT"),
        why="A container lives as long as its first process: that has to be the server.",
        hint=hint,
    )
    def starts(app: App) -> None:
        """The container starts a server."""

    return starts


def reachable(points: int = 2) -> Check:
    """The server listens on all of the container's addresses."""
    expected = "a server that listens on 0.0.0.0"

    def said(source: Source) -> None:
        final = source.final()
        for command in (final.cmd, final.entrypoint):
            if command and LOCALHOST.search(" ".join(command.argv)):
                actual = f"{command.text} listens on the container's own localhost"
                raise Failed(actual, expected, line=command.line)

    @check(
        points=points,
        lesson=LESSON,
        text=said,
        blame=("CMD", "ENTRYPOINT"),
        why="Inside a container, 127.0.0.1 is the container itself: nobody else gets there.",
        hint="--host 0.0.0.0 for flask run, --bind 0.0.0.0:8000 for gunicorn.",
    )
    def reachable(app: App) -> None:
        """The server can be reached from outside the container."""
        found = {address for address, port in app.listening if port == app.port}
        if not found & EVERYWHERE:
            raise Failed(f"it listens on {' and '.join(sorted(found)) or 'nothing'} only", expected)

    return reachable


@check(
    points=2,
    lesson=LESSON,
    why="That the process runs does not mean that the application works.",
    hint="Run it with --env-file .env and --publish, open it, and read what it prints.",
)
def answers(app: App) -> None:
    """The list of things to do is shown."""
    expected = "status 200 for /, with the list"
    answer = ask(app, "/")
    if answer.error:
        raise Failed(f"no answer: {answer.error}", expected)
    if answer.status != OK or "To do" not in answer.body:
        raise Failed(f"status {answer.status}: {answer.body[:100]}\n{app.logs}".strip(), expected)


@check(
    points=2,
    lesson=LESSON,
    blame=("CMD", "ENTRYPOINT"),
    why="Flask's own server is for one developer: slow, and its debugger runs anyone's code.",
    hint='CMD ["gunicorn", "--bind", "0.0.0.0:8000", "todo_app.app:create_app()"]',
)
def production_server(app: App) -> None:
    """A real server serves the app, and not Flask's own; there is no debugger."""
    headers = {name.lower(): value for name, value in ask(app, "/").headers.items()}
    server = headers.get("server", "")
    if server.startswith("Werkzeug"):
        raise Failed(f"Flask's own server answers: {server}", "gunicorn, or another real server")
    if debugger(app):
        raise Failed("Flask's debugger answers", "no debugger in production")


def ask(app: App, path: str) -> Answer:
    """The first answer: a server may listen long before it has loaded the app."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := app.get(app.port or 1, path)).error and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return answer


def debugger(app: App) -> bool:
    """Whether Flask's debugger answers, which anybody may use who gets there."""
    return "css" in ask(app, DEBUGGER).headers.get("Content-Type", "")
