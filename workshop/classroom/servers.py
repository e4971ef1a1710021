"""Starts the servers of a classroom, and waits until they answer. They end with the program."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from workshop.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workshop.core.process import ProcessResult, SubprocessRunner

SECONDS_TO_START = 60.0
_POLL_SECONDS = 0.05
_MAX_PORT = 65_534


def check_ports(host: str, port: int) -> None:
    """Raise a `UserError` unless this machine has the address, and both ports are free."""
    if not 0 < port <= _MAX_PORT:
        raise UserError(f"port {port}", "there is no such port", f"Use one from 1 to {_MAX_PORT}")
    for each in (port, port + 1):
        try:
            family, *_, address = socket.getaddrinfo(host, each, type=socket.SOCK_STREAM)[0]
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except socket.gaierror:
            found = "no name server knows it"
            raise UserError(f"--host {host}", found, "Use an address of this computer") from None
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                fix = "Use an address of this computer: ip address lists them"
                raise UserError(f"--host {host}", "it is not this computer's", fix) from None
            fix = f"Another classroom may run here. Stop it, or use --port {port + 10}"
            found = (error.strerror or "it is in use").lower()
            raise UserError(f"port {each} on {host}", found, fix) from None


def free_port() -> int:
    """Return a port on which no program of this machine listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Servers:
    """Programs that run until the block ends. `run` must end them when it is stopped."""

    def __init__(self, run: SubprocessRunner) -> None:
        self._run, self._pool = run, ThreadPoolExecutor(max_workers=8)
        self._running: dict[Future[ProcessResult], str] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._run.stop()
        self._pool.shutdown()

    def start(self, argv: Sequence[str], install: str) -> None:
        """Start a program; `install` is the package that has it."""
        self._running[self._pool.submit(self._run, argv, on_line=lambda _: None)] = install

    def wait_for(self, url: str, certificate: str = "") -> None:
        """Wait until a server answers, with any status."""
        context = ssl.create_default_context(cafile=certificate) if certificate else None
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            self._raise_ended(0)
            try:
                with urlopen(url, timeout=5, context=context):  # noqa: S310 - a server of ours
                    return
            except HTTPError:
                return
            except (URLError, OSError):
                time.sleep(_POLL_SECONDS)
        raise UserError(url, f"it did not answer within {SECONDS_TO_START:.0f} s", "Try again")

    def wait(self) -> None:
        """Wait until a server ends, which is a `UserError`, or the user interrupts."""
        self._raise_ended(None)

    def _raise_ended(self, timeout: float | None) -> None:
        ended, _ = wait(self._running, timeout, FIRST_COMPLETED)
        for each in ended:
            done, install = each.result(), self._running[each]
            missing = done.code == 127  # noqa: PLR2004 - the runner's code for a missing program
            command = f"sudo apt-get install --no-install-recommends {install}"
            found = "it is not installed" if missing else f"it ended: {done.last_line[-300:]}"
            fix = f"Install it: {command}" if missing else "Run this again"
            raise UserError(install, found, fix)
