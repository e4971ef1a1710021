"""Starts the desk: finds a port, prints the address, and serves until Ctrl-C."""

from __future__ import annotations

import errno
import os
import socket
import sys
import webbrowser
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple

import uvicorn

from desk.app import create_app
from desk.desk import Desk
from desk.session import Session, session_file
from workshop.commands.exercises import find_exercises
from workshop.core.errors import Interrupted, UserError
from workshop.site import build

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.core.process import Runner

LOOPBACK = "127.0.0.1"
# How many ports are tried from the first one on.
PORTS = 20
MAX_PORT = 65_535
MAX_MESSAGE = 1_000_000
SECONDS_TO_END = 5


class Options(NamedTuple):
    """How to start the desk."""

    host: str = LOOPBACK
    port: int = 8801
    present: bool = False
    open_browser: bool = True


def run(options: Options, runner: Runner) -> None:
    """Serve the desk until Ctrl-C; raise `UserError` if it cannot start.

    If the desk of this folder runs already, only print a new link to it.
    """
    base = _find_base()
    with closing(Session(session_file(base))) as session:
        if session.address:
            _print(f"The desk of {base} runs already. End it first for other options.")
            _show("A new link to it:", session.leave_link(), options)
        else:
            _serve(base, session, options, runner)


def _serve(base: Path, session: Session, options: Options, runner: Runner) -> None:
    with _listen(options.host, options.port) as listener:
        port = listener.getsockname()[1]
        if options.port and port != options.port:
            _print(f"Port {options.port} is in use; the desk uses port {port}.")
        if build.is_stale():
            _print("Building the lessons ...")
            _print(build.build(runner))
        desk = Desk(base, present=options.present)
        app = create_app(desk, session, _other_hosts(options.host))
        link = session.serve(f"http://{_address(options.host)}:{port}")
        _show("The desk is at", link, options)
        _print("Press Ctrl-C to quit.")
        config = uvicorn.Config(
            app,
            http="h11",
            ws="websockets-sansio",
            loop="asyncio",
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            ws_max_size=MAX_MESSAGE,
            # Compression costs more time than it saves on one machine.
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=SECONDS_TO_END,
        )
        # uvicorn raises the signal again that it has ended for.
        with suppress(KeyboardInterrupt, Interrupted):
            uvicorn.Server(config).run(sockets=[listener])


def _find_base() -> Path:
    """Return the folder around the exercises, where the lessons' commands run."""
    exercises = find_exercises()
    try:
        exercises.mkdir(exist_ok=True)
    except OSError as error:
        found = error.strerror or "it cannot be created"
        raise UserError(str(exercises), found, "Change to a folder that you may write to") from None
    return exercises.resolve().parent


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket on `port`, or on the next free one."""
    if not 0 <= port <= MAX_PORT:
        raise UserError(f"port {port}", "there is no such port", "Use a port from 1 to 65535")
    if host not in {LOOPBACK, "localhost"}:
        _print(
            f"Warning: with --host {host}, anyone in your network who learns the address can use a "
            "terminal as you. The connection is not encrypted."
        )
    reason = ""
    for number in range(port, min(port + PORTS, MAX_PORT + 1)):
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return socket.create_server((host, number), family=family)
        except OSError as error:
            reason = os.strerror(error.errno or errno.EADDRINUSE)
            if error.errno != errno.EADDRINUSE:
                break
    fix = "Use another address or port: see workshop learn --help"
    raise UserError(f"{host}, port {port}", reason, fix)


def _other_hosts(host: str) -> frozenset[str]:
    """Return the names in addresses besides loopback that this desk answers to."""
    if host == LOOPBACK:
        return frozenset()
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared only
        return frozenset({"*", socket.gethostname().lower()})
    return frozenset({host.lower(), f"[{host.lower()}]"})


def _address(host: str) -> str:
    """Return the name for the address that is printed."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared only
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host


def _show(text: str, link: str, options: Options) -> None:
    """Print a link, and open it in the learner's browser."""
    _print(f"{text} {link}")
    if options.open_browser and _has_screen():
        with suppress(webbrowser.Error):
            webbrowser.open(link)


def _has_screen() -> bool:
    """Whether a browser with a window can open: a browser in the terminal would hide the desk."""
    names = ("DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform in {"darwin", "win32"} or any(map(os.environ.get, names))


def _print(text: str) -> None:
    if text:
        print(text, flush=True)  # noqa: T201 - the command's own output
