"""The app as its container serves it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.model import Failed, check

if TYPE_CHECKING:
    from workshop.analysis.container.app import App
    from workshop.analysis.container.prober_client import Response
    from workshop.analysis.dockerfile.effective import Effective
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source
    from workshop.grading.evaluation import Evaluation

OK = 200
PATIENCE_SECONDS = 45.0
POLL_SECONDS = 0.2

# The style sheet of the debugger that Flask adds to every page in debug mode.
DEBUGGER = "/?__debugger__=yes&cmd=resource&f=style.css"


# The options of gunicorn, flask and uvicorn that set an address or a port: the port is a number or
# a variable, such as ${PORT:-8000}.
_PORT = re.compile(
    r"\s(?:(?:--bind|-b)[= ]?\S*?:|(?:--port|-p)[= ])"
    r"(?:(?P<number>\d+)\b|\$\{?(?P<name>\w+)(?::?-(?P<default>\d+))?)"
)


@dataclass(frozen=True)
class RunningImage:
    """An image and its running server."""

    image: Image
    app: App

    @classmethod
    def of(cls, evaluation: Evaluation, of: str) -> RunningImage:
        """Return the image and the server of a recipe."""
        return cls(evaluation.fact("image", of), evaluation.fact("app", of))


def _expose_by_text(source: Source) -> None:
    final = source.final()
    if not final.ports:
        raise Failed("no EXPOSE", "EXPOSE with the port that the server listens on")
    used = _ports_of_command(final)
    if used and not any(f"{port}/tcp" in final.ports for port in used):
        actual = f"EXPOSE lists {', '.join(final.ports)}, but the command sets port {used[0]}"
        line = max(setting.line for setting in final.ports.values())
        raise Failed(actual, f"EXPOSE {used[0]}", line=line)


def _ports_of_command(final: Effective) -> list[str]:
    """Return the ports that the options of ENTRYPOINT and CMD set, with the values of ENV."""
    commands = (command for command in (final.entrypoint, final.cmd) if command)
    text = " ".join(word for command in commands for word in command.argv)
    ports = []
    for found in _PORT.finditer(text):
        setting = final.env.get(found["name"] or "")
        ports.append(found["number"] or (setting.value if setting else found["default"]) or "")
    return [port for port in ports if port.isdecimal()]


@check(
    points=1,
    text=_expose_by_text,
    blame=("EXPOSE",),
    why="EXPOSE does not publish a port: it documents which port the server listens on.",
    hint="EXPOSE 8000 for gunicorn, EXPOSE 5000 for flask, or the port that you chose.",
)
def exposes_server_port(running_image: RunningImage) -> None:
    """EXPOSE lists the port that the server listens on."""
    ports, listening = running_image.image.ports, f"{running_image.app.port}/tcp"
    if listening not in ports:
        actual = f"EXPOSE lists {', '.join(sorted(ports)) or 'no port'}"
        raise Failed(f"{actual}, but the server listens on {listening}", f"EXPOSE {listening}")


@check(
    points=2,
    why="A running process does not prove that the application works.",
    hint="Run the image with --env-file .env and --publish, open the page, and read the logs.",
)
def returns_expected_response(app: App) -> None:
    """GET / returns the to-do list."""
    expected = "status 200 for /, with the list"
    first_answer(app, "/")
    for who, answer in app.get_as_clients(app.port or 1, "/"):
        if answer.error:
            raise Failed(f"{who}no response: {answer.error}", expected)
        if answer.status != OK or "To do" not in answer.body:
            actual = f"{who}status {answer.status}: {answer.body[:100]}\n{app.logs}".strip()
            raise Failed(actual, expected)


@check(
    points=2,
    blame=("CMD", "ENTRYPOINT"),
    why="Flask's development server is slow, and its debugger runs any visitor's code.",
    hint='CMD ["gunicorn", "--bind", "0.0.0.0:8000", "todo_app.app:create_app()"]',
)
def uses_production_server(app: App) -> None:
    """A production server runs the app, without a debugger."""
    headers = {name.lower(): value for name, value in first_answer(app, "/").headers.items()}
    server = headers.get("server", "")
    if server.startswith("Werkzeug"):
        actual = f"Flask's development server responds: {server}"
        raise Failed(actual, "gunicorn, or another production server")
    if has_debugger(app):
        raise Failed("Flask's debugger responds", "no debugger in production")


def first_answer(app: App, path: str) -> Response:
    """Request a page until the server answers: it may listen before the app is loaded."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := app.get(app.port or 1, path)).error and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return answer


def has_debugger(app: App) -> bool:
    """Whether Flask's debugger responds to visitors."""
    return "css" in first_answer(app, DEBUGGER).headers.get("Content-Type", "")
