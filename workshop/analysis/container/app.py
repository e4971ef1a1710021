"""Runs a learner's container, and observes it from outside: its own output proves nothing."""

from __future__ import annotations

import functools
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workshop.analysis.container.excess import OutputLimit, RunLimits, check_memory
from workshop.analysis.container.prober_client import CLIENTS, ROUNDS
from workshop.analysis.container.runtime_error import strip_output
from workshop.analysis.container.shutdown import Shutdown
from workshop.core.sanitise import plain
from workshop.model import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from workshop.analysis.container.prober_client import Prober, Response
    from workshop.core.process import ProcessResult
    from workshop.engine import Engine

# Limits that leave room for every program of the course, and protect the rest of the machine.
LIMITS = (
    "--pull=never",
    # `health_check.py` runs the health check.
    "--no-healthcheck",
    "--memory=1g",
    # Memory and swap together.
    "--memory-swap=1g",
    "--pids-limit=256",
    "--security-opt=no-new-privileges",
    "--ulimit=core=0",
    "--log-driver=none",
)
SECONDS_TO_START = 30.0
SECONDS_TO_RUN = 60.0
SECONDS_TO_KILL = 10
POLL_SECONDS = 0.03
LAST_LINES = 20
ENGINE_FAILED = 125
# Exit codes of `docker run`: the engine failed, or the command cannot run, or does not exist.
NOT_STARTED = {ENGINE_FAILED, 126, 127}


@dataclass(frozen=True)
class Process:
    """A process of a container: `uid` and `pid` are the host's, `first` is true of process 1."""

    uid: int
    pid: int
    command: str
    first: bool


@dataclass(frozen=True)
class Run:
    """A container that has ended: its exit code, its output, and the command it executed."""

    code: int
    output: str
    command: str = ""


class App:
    """A learner's running server, alone with the prober on a network without outside access."""

    def __init__(
        self,
        engine: Engine,
        name: str,
        prober: Prober,
        folder: Path | None = None,
        limits: RunLimits = RunLimits(),  # noqa: B008 - a tuple
    ) -> None:
        """`folder` is the host folder that is mounted into the container, if any.

        A container that prints more than its limit is killed.
        """
        self._engine, self.name, self._prober, self.folder = engine, name, prober, folder
        self._limits, self._output = limits, OutputLimit(engine, name, limits.output)
        self._lines: list[str] = []
        self._done: ProcessResult | None = None
        self._thread = threading.Thread(target=lambda: None)

    def start(self, image: str, options: Sequence[str], command: Sequence[str]) -> None:
        """Run the image in a thread, which collects its output."""

        def run() -> None:
            all_options = (*LIMITS, f"--network=container:{self._prober.name}", *options)
            self._done = self._engine.run(
                self.name, image, all_options, command, on_line=self._add_line
            )

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def wait_for(self, port: int, seconds: float = SECONDS_TO_START) -> None:
        """Wait until a process listens on `port`, or on any port if `port` is 0.

        Raise `Failed` after `seconds`, or if the container ends first.
        """
        deadline = time.monotonic() + seconds
        while not any(port in {0, listening} for _, listening in self._prober.listening()):
            if not self._thread.is_alive():
                self.check_limits()
                raise self._ended()
            if time.monotonic() > deadline:
                raise self._not_listening(port, seconds)
            time.sleep(POLL_SECONDS)

    def check_limits(self) -> None:
        """Raise `Failed` if the container exceeded a limit."""
        self._output.check()
        if not self._thread.is_alive():
            check_memory(self._engine, self.name, self._exit_code, self._limits.memory)

    @functools.cached_property
    def processes(self) -> tuple[Process, ...]:
        """Every process of the container, as the host sees it."""
        rows = self._engine.processes(self.name)
        pids = {row[1] for row in rows}
        return tuple(
            Process(int(uid), int(pid), plain(command), first=parent not in pids)
            for uid, pid, parent, command in rows
        )

    @property
    def listening(self) -> list[tuple[str, int]]:
        """Address and port of every listening TCP socket."""
        return self._prober.listening()

    @property
    def port(self) -> int:
        """The listening port, preferably one that is reachable from outside; 0 if there is none."""
        local = {"127.0.0.1", "::1"}
        found = sorted((address in local, port) for address, port in self.listening)
        return found[0][1] if found else 0

    def get(self, port: int, path: str, **options: Any) -> Response:  # noqa: ANN401 - as `request`
        """Send an HTTP request, by default a GET."""
        return self._prober.request(port, path, **options)

    def get_as_clients(self, port: int, path: str) -> Iterator[tuple[str, Response]]:
        """Send the same GET request several times, as different clients.

        Yield each response with a description of its request; that of the first one is empty.
        """
        for number, (client, headers, source) in enumerate(CLIENTS * ROUNDS, 1):
            who = f"request {number}, from {client}: " if number > 1 else ""
            yield who, self.get(port, path, headers=headers, source=source)

    @property
    def logs(self) -> str:
        """The last lines of the container's output."""
        return "\n".join(self._lines[-LAST_LINES:])

    def stop(self) -> Shutdown:
        """Send SIGTERM, and SIGKILL after `SECONDS_TO_KILL`; return how the container ended."""
        command = next((process.command for process in self.processes if process.first), "")
        start = time.monotonic()
        self._engine.stop(self.name, SECONDS_TO_KILL)
        seconds = time.monotonic() - start
        self._thread.join(SECONDS_TO_KILL)
        return Shutdown(self._exit_code, seconds, command)

    @property
    def _exit_code(self) -> int:
        return self._done.code if self._done else -1

    def _add_line(self, line: str) -> None:
        self._output.add(line)
        self._lines.append(plain(line))
        del self._lines[: -10 * LAST_LINES]

    def _ended(self) -> Failed:
        self._thread.join()
        if self._exit_code == ENGINE_FAILED:
            self._engine.require("the container")
        logs = "\n".join(strip_output(self._lines[-LAST_LINES:]))
        output = f"; its last lines were:\n{logs}" if logs else " and printed nothing"
        return Failed(
            f"the container ended by itself with exit code {self._exit_code}{output}",
            "a server that keeps running",
        )

    def _not_listening(self, port: int, seconds: float) -> Failed:
        others = sorted({listening for _, listening in self._prober.listening()})
        target = f"port {port}" if port else "a port"
        actual = f"nothing listens on {target} after {seconds:.0f} s"
        if others:
            actual += f", but on {', '.join(map(str, others))}"
        if self.logs:
            actual += f"; its last lines were:\n{self.logs}"
        return Failed(actual, f"a server that listens on {target}")


def run_to_end(  # noqa: PLR0913 - the parts of one run
    engine: Engine,
    name: str,
    image: str,
    *,
    options: Sequence[str] = (),
    command: Sequence[str] = (),
    seconds: float = SECONDS_TO_RUN,
    limits: RunLimits = RunLimits(),  # noqa: B008 - a tuple
) -> Run:
    """Run a container without a network until it ends, for `seconds` at most.

    Raise `Failed` if it exceeds one of `limits`.
    """
    output = OutputLimit(engine, name, limits.output)
    all_options = (*LIMITS, "--network=none", *options)
    done = engine.run(name, image, all_options, command, on_line=output.add, timeout=seconds)
    try:
        output.check()
        check_memory(engine, name, done.code, limits.memory)
    finally:
        engine.remove(name)
    if done.code == ENGINE_FAILED:
        engine.require("the container")
    lines = [plain(line) for line in done.output.splitlines()]
    return Run(done.code, "\n".join(strip_output(lines) if done.code in NOT_STARTED else lines))
