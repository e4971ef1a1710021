"""A container that runs a server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.analysis.container.shutdown import KILLED, SECONDS_TO_STOP, TERMINATED
from workshop.model import Check, Failed, check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from workshop.analysis.container.app import App
    from workshop.analysis.container.health_check import HealthResult
    from workshop.analysis.container.shutdown import Shutdown
    from workshop.analysis.source import Source

_SHELLS = ("sh", "bash", "dash", "ash", "zsh")
_ALL_INTERFACES = {"0.0.0.0", "::"}  # noqa: S104 - what a container's server has to listen on
_LOCALHOST = re.compile(r"(?:127\.0\.0\.1|localhost)(?!\S*/)")
_COMMAND = ("CMD", "ENTRYPOINT")


def server_starts(
    port: int = 0,
    *,
    hint: str = "Run the image in the foreground, without -d, and read its output.",
    text: Callable[[Source], None] | None = None,
) -> Check:
    """Require that the server starts on `port`, or on any port."""

    @check(
        points=2,
        title=f"The container starts a server on port {port}"
        if port
        else "The container starts a server",
        text=text,
        blame=_COMMAND,
        why="A container runs only as long as its first process, which must be the server.",
        hint=hint,
    )
    def server_starts(app: App) -> None:
        pass

    return server_starts


def local_addresses(listening: Iterable[tuple[str, int]], port: int) -> str:
    """Return the addresses that `port` is bound to, or "" if it is reachable from outside."""
    found = sorted({address for address, number in listening if number == port})
    return "" if {*found} & _ALL_INTERFACES else " and ".join(found) or "no address"


def listens_on_all_interfaces(port: int = 0) -> Check:
    """Require that the server is reachable from outside, on `port` or on its own choice."""
    expected = f"a server that listens on 0.0.0.0{f':{port}' if port else ''}"

    def check_text(source: Source) -> None:
        final = source.final()
        for command in (final.cmd, final.entrypoint):
            if command and _LOCALHOST.search(" ".join(command.argv)):
                actual = f"{command.text} listens only on the container's localhost"
                raise Failed(actual, expected, line=command.line)

    @check(
        points=2,
        title=f"The server listens on 0.0.0.0{f', port {port}' if port else ''}",
        blame=_COMMAND,
        text=check_text,
        why="Inside a container, 127.0.0.1 is the container itself: "
        "nothing outside can connect to it.",
        hint="Make the server listen on all interfaces: --host 0.0.0.0 "
        f"(gunicorn: --bind 0.0.0.0:{port or 8000}).",
    )
    def listens_on_all_interfaces(app: App) -> None:
        if addresses := local_addresses(app.listening, port or app.port):
            actual = f"the server listens only on {addresses}"
            raise Failed(actual, expected, output=app.logs)

    return listens_on_all_interfaces


def returns_expected_response(port: int, path: str, text: str) -> Check:
    """Require that GET `path` returns status 200 and this text."""
    expected = f"status 200 with {text}"

    @check(
        points=2,
        title=f"GET {path} returns {text}",
        why="A running process does not prove that the application works.",
        hint=f"Run docker run -p {port}:{port} IMAGE, then curl localhost:{port}{path}",
    )
    def returns_expected_response(app: App) -> None:
        for who, answer in app.get_as_clients(port, path):
            if answer.error:
                raise Failed(f"{who}no response: {answer.error}", expected, output=app.logs)
            if answer.status != 200 or text not in answer.body:  # noqa: PLR2004 - HTTP's "OK"
                actual = f"{who}status {answer.status}: {answer.body[:100]}"
                raise Failed(actual, expected, output=app.logs)

    return returns_expected_response


@check(
    points=1,
    blame=_COMMAND,
    why="docker stop signals only process 1, and a shell does not forward the signal.",
    hint='Write CMD as a list: CMD ["program", "argument"]. End a script with exec "$@".',
)
def server_is_process_1(app: App) -> None:
    """Process 1 is the server, not a shell."""
    for process in app.processes:
        program = process.command.split(" ", 1)[0].rsplit("/", 1)[-1].lstrip("-")
        if process.first and program in _SHELLS:
            raise Failed(f"process 1 is {process.command}", "the server as process 1")


def healthcheck_works(*, required: bool = True) -> Check:
    """Require that HEALTHCHECK passes with a running server and fails without one.

    Unless `required`, the image needs no HEALTHCHECK.
    """
    title = "HEALTHCHECK passes only while the server responds"
    expected = "exit code 0 with a running server, and another exit code without one"

    def check_text(source: Source) -> None:
        if required and source.final().healthcheck is None:
            raise Failed("no HEALTHCHECK", expected)

    @check(
        points=1,
        title=title if required else f"{title} (if the image has one)",
        blame=("HEALTHCHECK",),
        text=check_text,
        why="Docker trusts the health check: one that always succeeds hides a dead server.",
        hint="Send the request with Python, because slim images have no curl: "
        "HEALTHCHECK CMD with python -c and urllib.request.urlopen.",
    )
    def healthcheck_works(health: HealthResult) -> None:
        if required and health.with_server is None:
            raise Failed("no HEALTHCHECK", expected)
        if health.with_server:
            raise Failed(f"exit code {health.with_server} with a running server", expected)
        if health.without_server == 0:
            raise Failed("exit code 0 without a server too", expected)

    return healthcheck_works


@check(
    points=1,
    title=f"docker stop ends the container within {SECONDS_TO_STOP:.0f} seconds",
    blame=_COMMAND,
    why="Docker kills a container that does not stop within 10 seconds, "
    "and requests in progress are lost.",
    hint='Make the server process 1: CMD ["program", "argument"]. If it is, it ignores SIGTERM, as '
    "Flask's development server does: use gunicorn, or add STOPSIGNAL SIGINT.",
)
def stops_on_sigterm(shutdown: Shutdown) -> None:
    """docker stop ends the container in time."""
    expected = f"an exit within {SECONDS_TO_STOP:.0f} seconds of SIGTERM"
    process = f"process 1 is {shutdown.command}"
    if shutdown.code == KILLED:
        actual = f"Docker killed it after {shutdown.seconds:.0f} seconds"
        raise Failed(actual, expected, output=process)
    if shutdown.seconds > SECONDS_TO_STOP:
        actual = f"it took {shutdown.seconds:.1f} seconds to stop"
        raise Failed(actual, expected, output=process)
    if shutdown.code not in {0, TERMINATED}:
        raise Failed(f"exit code {shutdown.code}", f"exit code 0 or {TERMINATED}")
