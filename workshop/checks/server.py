"""A container that serves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.analysis.container.shutdown import KILLED, SECONDS_TO_STOP, TERMINATED
from workshop.model import Check, Failed, check

if TYPE_CHECKING:
    from workshop.analysis.container.app import App
    from workshop.analysis.container.health_check import HealthResult
    from workshop.analysis.container.shutdown import Shutdown
    from workshop.analysis.source import Source

_SHELLS = ("sh", "bash", "dash", "ash", "zsh")
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - what a container's server has to listen on


def starts(port: int, lesson: str, points: int = 2) -> Check:
    """The server comes up."""

    @check(
        points=points,
        lesson=lesson,
        title=f"The container starts a server on port {port}",
        blame=("CMD", "ENTRYPOINT"),
        why="A container lives as long as its first process: that has to be the server.",
        hint="Run the image by hand, without -d, and read what it prints.",
    )
    def starts(app: App) -> None:
        pass

    return starts


def reachable(port: int, lesson: str, points: int = 2) -> Check:
    """The server listens on all of the container's addresses."""

    def said(source: Source) -> None:
        final = source.final()
        for command in (final.cmd, final.entrypoint):
            if command and re.search(r"(?:127\.0\.0\.1|localhost)(?!\S*/)", " ".join(command.argv)):
                raise Failed(
                    f"{command.text} listens on the container's own localhost",
                    expected,
                    line=command.line,
                )

    expected = f"a server that listens on 0.0.0.0:{port}"

    @check(
        points=points,
        lesson=lesson,
        title=f"Port {port} can be reached from outside the container",
        blame=("CMD", "ENTRYPOINT"),
        text=said,
        why="Inside a container, 127.0.0.1 is the container itself: nobody else gets there.",
        hint="Tell the server to listen on all addresses: --host 0.0.0.0 (gunicorn: --bind).",
    )
    def reachable(app: App) -> None:
        found = [address for address, listening in app.listening if listening == port]
        if not set(found) & set(_EVERYWHERE):
            raise Failed(f"it listens on {' and '.join(found) or 'nothing'} only", expected)

    return reachable


def answers(port: int, path: str, text: str, lesson: str, points: int = 2) -> Check:
    """A page has this text."""

    @check(
        points=points,
        lesson=lesson,
        title=f"{path} answers {text}",
        why="That the process runs does not mean that the application works.",
        hint=f"Ask it: docker run -p {port}:{port} IMAGE, then curl localhost:{port}{path}",
    )
    def answers(app: App) -> None:
        answer = app.get(port, path)
        if answer.error:
            raise Failed(f"no answer: {answer.error}", f"status 200 with {text}")
        if answer.status != 200 or text not in answer.body:  # noqa: PLR2004 - HTTP's "OK"
            actual = f"status {answer.status}: {answer.body[:100]}"
            raise Failed(actual, f"status 200 with {text}")

    return answers


def first_process(lesson: str, points: int = 1) -> Check:
    """Process 1 is the server, or hands signals on to it: no shell that waits for it."""

    @check(
        points=points,
        lesson=lesson,
        title="Process 1 is the server and no shell around it",
        blame=("CMD", "ENTRYPOINT"),
        why="docker stop speaks to process 1 alone, and a shell does not pass it on.",
        hint='Write CMD as a list: CMD ["program", "argument"]; end a script with exec "$@".',
    )
    def first_process(app: App) -> None:
        for process in app.processes:
            program = process.command.split(" ", 1)[0].rsplit("/", 1)[-1].lstrip("-")
            if process.first and program in _SHELLS:
                raise Failed(f"process 1 is {process.command}", "process 1 is the server itself")

    return first_process


def tells_its_health(lesson: str, points: int = 1, *, asked: bool = True) -> Check:
    """HEALTHCHECK tells a server that answers from one that does not.

    Unless `asked` for, there need not be one.
    """

    def said(source: Source) -> None:
        if asked and source.final().healthcheck is None:
            raise Failed("no HEALTHCHECK", expected)

    title = "HEALTHCHECK tells a server that answers from none"
    expected = "exit code 0 beside the running server, and another one where no server runs"

    @check(
        points=points,
        lesson=lesson,
        title=title if asked else f"{title}, if there is one",
        blame=("HEALTHCHECK",),
        text=said,
        why="Docker believes the health check: one that always says yes hides a dead server.",
        hint="Let Python ask the server, since slim images have no curl: "
        "HEALTHCHECK CMD with python -c and urllib.request.urlopen.",
    )
    def tells_its_health(health: HealthResult) -> None:
        if asked and health.beside is None:
            raise Failed("no HEALTHCHECK", expected)
        if health.beside:
            actual = f"beside the running server it ends with exit code {health.beside}"
            raise Failed(actual, expected)
        if health.alone == 0:
            raise Failed("it ends with exit code 0 where no server runs, too", expected)

    return tells_its_health


def stops(lesson: str, points: int = 1) -> Check:
    """docker stop is obeyed."""

    @check(
        points=points,
        lesson=lesson,
        title=f"docker stop ends it within {SECONDS_TO_STOP:.0f} seconds",
        blame=("CMD", "ENTRYPOINT"),
        why="What does not end when asked is killed ten seconds later, in the middle of its work.",
        hint='Write CMD as a list, so that the server is process 1: CMD ["program", "argument"].',
    )
    def stops(shutdown: Shutdown) -> None:
        expected = f"an end of its own within {SECONDS_TO_STOP:.0f} seconds"
        if shutdown.code == KILLED:
            raise Failed(f"it had to be killed after {shutdown.seconds:.0f} seconds", expected)
        if shutdown.seconds > SECONDS_TO_STOP:
            raise Failed(f"it took {shutdown.seconds:.1f} seconds", expected)
        if shutdown.code not in {0, TERMINATED}:
            raise Failed(f"it ended with exit code {shutdown.code}", f"exit code 0 or {TERMINATED}")

    return stops
