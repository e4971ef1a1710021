"""Compare the production servers with the development ones: start-up, and requests a second.

Start-up is the time from `docker run` until the first answer. Then wrk sends requests from this
machine, over a few connections that stay open, for a few seconds.
"""

from __future__ import annotations

import re
import secrets
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

from benchmarks import command
from benchmarks.images import built, new_name
from benchmarks.rounds import Case, run_program
from workshop.core.errors import UserError
from workshop.core.process import SubprocessRunner
from workshop.engine import Engine
from workshop.machine import apt, host

if TYPE_CHECKING:
    from benchmarks.rounds import Rounds

HOST = "127.0.0.1"
WRK = "wrk"
CONNECTIONS, SECONDS = 8, 3
SECONDS_TO_START = 30.0
# The engine accepts connections before the program in the container does, and closes them again:
# only another request shows whether it answers. This is also the error of a start-up time.
POLL_SECONDS = 0.005
_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)$", re.MULTILINE)
_REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")


@dataclass(frozen=True)
class Server:
    """One way to serve a service: its image, its `docker run` options, and its command."""

    service: str
    side: str
    image: str
    port: int
    page: str
    options: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    name: str = field(default_factory=new_name)


def servers() -> list[Server]:
    """Return both servers of each web service, the development one first."""
    # Production refuses the placeholder of the template.
    secret = ("--env", f"SECRET_KEY={secrets.token_hex(32)}")
    reload_deathstar = ("deathstar.api:create_app", "--factory", "--reload", "--port", "8080")
    reload_fastapi = ("uvicorn", "app.main:app", "--reload", "--port", "8000")
    everywhere = ("--host", "0.0.0.0")  # noqa: S104 - inside the container
    development, production = "development", "production"
    degrees, todo = ("degrees-api", "degrees_api:1.0"), "todo-app"
    deathstar, fastapi = ("deathstar", "deathstar:latest"), ("fastapi", "nonroot-image-fastapi:dev")
    return [
        _server(degrees, development, 5000, "/degrees", ("--env", "DEBUG=1")),
        _server(degrees, production, 5000, "/degrees"),
        _server((todo, "todo-app:dev"), development, 8000, "/", secret),
        _server((todo, "todo-app:prod"), production, 8000, "/", secret),
        _server(
            deathstar,
            development,
            8080,
            "/api/v1/planets",
            ("--entrypoint", "uvicorn"),
            (*reload_deathstar, *everywhere),
        ),
        _server(deathstar, production, 8080, "/api/v1/planets"),
        _server(fastapi, development, 8000, "/", (), (*reload_fastapi, *everywhere)),
        _server(fastapi, production, 8000, "/"),
    ]


def _server(  # noqa: PLR0913, PLR0917 - the columns of a table
    service: tuple[str, str],
    side: str,
    port: int,
    page: str,
    options: tuple[str, ...] = (),
    arguments: tuple[str, ...] = (),
) -> Server:
    return Server(service[0], side, service[1], port, page, options, arguments)


def serve(engine: Engine, server: Server, image: str) -> dict[str, float]:
    """Start a container, send requests, and remove it; return both figures."""
    port = find_free_port()
    published = ("--detach", "--publish", f"{HOST}:{port}:{server.port}")
    options = (*published, *server.options)
    try:
        start = time.perf_counter()
        done = engine.run(server.name, image, options, server.command, timeout=60)
        engine.check(f"the container of {server.image}", done, "Run it by hand to see why")
        wait_for_answer(engine, server, port)
        seconds = time.perf_counter() - start
        return {"start": seconds, "rate": send_requests(port, server.page)}
    finally:
        engine.remove(server.name)


def find_free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def wait_for_answer(engine: Engine, server: Server, port: int) -> None:
    """Wait until the page has status 200; raise a `UserError` with the last line of the log."""
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end:
        with suppress(OSError, HTTPException):
            connection = HTTPConnection(HOST, port, timeout=SECONDS_TO_START)
            try:
                connection.request("GET", server.page)
                if connection.getresponse().status == 200:  # noqa: PLR2004 - OK
                    return
            finally:
                connection.close()
        time.sleep(POLL_SECONDS)
    last = (engine.logs(server.name).strip().splitlines() or ["nothing"])[-1]
    found = f"no answer within {SECONDS_TO_START:.0f} s; it printed: {last}"
    raise UserError(f"{server.service}, {server.side}", found, "Run the image by hand to see why")


def send_requests(port: int, page: str) -> float:
    """Return the answers a second that wrk gets; raise a `UserError` if one is an error."""
    url = f"http://{HOST}:{port}{page}"
    options = ("--threads", "1", "--connections", CONNECTIONS, "--duration", f"{SECONDS}s")
    _, output = run_program((WRK, *map(str, options), url))
    return read_rate(url, output)


def read_rate(url: str, output: str) -> float:
    """Read the answers a second in what wrk prints."""
    if refused := _REFUSED.search(output):
        found = f"{refused[1]} answers are not a success"
        raise UserError(url, found, "Run the image by hand to see why")
    rate = _RATE.search(output)
    if rate is None or not float(rate[1]):
        raise UserError(url, f"wrk got no answer: {output.strip()}", "Run wrk by hand to see why")
    return float(rate[1])


def install_wrk() -> None:
    """Install wrk from Debian's packages, where the kit may do that."""
    if not apt.find_missing([WRK]):
        return
    machine = host.detect()
    if machine.obstacle:
        raise UserError(WRK, "it is missing", "Install Debian's package wrk")
    apt.install([WRK], machine.codename, SubprocessRunner())


def measure(rounds: Rounds) -> None:
    """Start each server in turn, and send it requests."""
    engine = Engine()
    engine.require("benchmark servers")
    install_wrk()
    every = servers()
    with built(engine, [server.image for server in every], rounds) as images:
        rounds.compare(
            [Case(s.service, s.side, partial(serve, engine, s, images[s.image])) for s in every]
        )
    rounds.note(
        f"wrk keeps {CONNECTIONS} connections busy for {SECONDS} s in each round, on the machine "
        "of the server, and takes a part of its cores."
    )


if __name__ == "__main__":
    sys.exit(command.main("servers", measure))
