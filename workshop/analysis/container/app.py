"""A running container, seen from outside: nothing that it says of itself is believed."""

from __future__ import annotations

import contextlib
import functools
import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workshop.analysis.container import prober
from workshop.analysis.container.shutdown import Shutdown
from workshop.core.errors import UserError
from workshop.core.sanitise import plain
from workshop.model import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workshop.core.process import InteractiveProcess, ProcessResult
    from workshop.engine import Engine

# A base image of the course that has Python: the prober runs in it.
PROBER_IMAGE = "python:3.13-slim-trixie"

# Nothing that a course's program needs is missing, and nothing that hurts its neighbours is left.
LIMITS = (
    "--pull=never",
    # A health check is a process like any other; what it says is looked at elsewhere.
    "--no-healthcheck",
    "--memory=1g",
    "--pids-limit=256",
    "--security-opt=no-new-privileges",
    "--ulimit=core=0",
    "--log-driver=none",
)
_PROBER_OPTIONS = (
    "--pull=never",
    "--user=65534:65534",
    "--read-only",
    "--cap-drop=ALL",
    "--memory=128m",
    "--pids-limit=32",
    "--security-opt=no-new-privileges",
    "--log-driver=none",
)
SECONDS_TO_START = 30.0
SECONDS_TO_ANSWER = 10.0
SECONDS_TO_RUN = 60.0
SECONDS_TO_PROBE = 60.0
SECONDS_TO_KILL = 10
POLL_SECONDS = 0.03
LAST_LINES = 20
ENGINE_FAILED = 125


@dataclass(frozen=True)
class Process:
    """A process of a container: the numbers are the host's, `first` is true of process 1."""

    uid: int
    pid: int
    command: str
    first: bool


@dataclass(frozen=True)
class Answer:
    """What a server answered; `error` alone where that was no HTTP."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    error: str = ""

    def json(self) -> Any:  # noqa: ANN401 - whatever the server sent
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Run:
    """A program's container that has come to its end; `command` is what it was to execute."""

    code: int
    output: str
    command: str = ""


class Prober:
    """The kit's own container in a network of its own, which a learner's container joins."""

    def __init__(self, engine: Engine, name: str, interact: InteractiveProcess) -> None:
        self._engine, self.name, self._talk = engine, name, interact
        # Two checks may ask at once; a line and its answer belong together.
        self._lock = threading.Lock()
        self._ask({"do": "ready"})

    def listening(self) -> list[tuple[str, int]]:
        """Address and port of every TCP socket that listens."""
        return [(address, port) for address, port in self._ask({"do": "listening"})]

    def request(  # noqa: PLR0913 - the parts of a request
        self,
        port: int,
        path: str,
        *,
        method: str = "GET",
        body: str = "",
        headers: Mapping[str, str] | None = None,
        seconds: float = SECONDS_TO_ANSWER,
    ) -> Answer:
        """One HTTP request to a port."""
        said = self._ask(
            {
                "do": "request",
                "method": method,
                "port": port,
                "path": path,
                "headers": dict(headers or {}),
                "body": body,
                "seconds": seconds,
            }
        )
        return Answer(**said)

    def _ask(self, ask: Mapping[str, Any]) -> Any:  # noqa: ANN401 - one shape for each `do`
        with self._lock:
            line = self._talk.ask(json.dumps(ask), SECONDS_TO_PROBE)
        try:
            return json.loads(line)
        except ValueError:
            self._engine.require("the prober")
            fix = f"Look whether the engine answers and {PROBER_IMAGE} is there: workshop bases"
            raise UserError("the prober", "its container does not answer", fix) from None


@contextlib.contextmanager
def probing(engine: Engine, name: str, network: str = "none") -> Iterator[Prober]:
    """A prober for as long as the block runs; `container:NAME` is that container's network."""
    script = Path(prober.__file__).read_text(encoding="utf-8")
    command = ("python", "-I", "-S", "-u", "-c", script)
    options = (*_PROBER_OPTIONS, f"--network={network}")
    try:
        with engine.interact(name, PROBER_IMAGE, options, command) as interact:
            yield Prober(engine, name, interact)
    finally:
        engine.remove(name)


class App:
    """A learner's server while it runs, alone with the prober on a network without a way out."""

    def __init__(
        self, engine: Engine, name: str, prober: Prober, folder: Path | None = None
    ) -> None:
        """`folder` is the one that is mounted into it, for whoever wants to change a file there."""
        self._engine, self.name, self._prober, self.folder = engine, name, prober, folder
        self._lines: list[str] = []
        self._done: ProcessResult | None = None
        self._thread = threading.Thread(target=lambda: None)

    def start(self, image: str, options: Sequence[str], command: Sequence[str]) -> None:
        """Run the image; `logs` fills from now on."""

        def run() -> None:
            # Attached: what it prints and how it ends come to us by themselves.
            words = (*LIMITS, f"--network=container:{self._prober.name}", *options)
            self._done = self._engine.run(self.name, image, words, command, on_line=self._hear)

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def wait_for(self, port: int, seconds: float = SECONDS_TO_START) -> None:
        """Wait until something listens on `port`, any where that is 0.

        `Failed` where the container ends before.
        """
        deadline = time.monotonic() + seconds
        while not any(port in {0, listening} for _, listening in self._prober.listening()):
            if not self._thread.is_alive():
                raise self._ended()
            if time.monotonic() > deadline:
                raise self._silent(port, seconds)
            time.sleep(POLL_SECONDS)

    @functools.cached_property
    def processes(self) -> tuple[Process, ...]:
        """Every process of the container, as the host sees them."""
        rows = self._engine.processes(self.name)
        pids = {row[1] for row in rows}
        return tuple(
            Process(int(uid), int(pid), plain(command), first=parent not in pids)
            for uid, pid, parent, command in rows
        )

    @property
    def listening(self) -> list[tuple[str, int]]:
        """Address and port of every TCP socket that listens."""
        return self._prober.listening()

    @property
    def port(self) -> int:
        """The port that listens: of several, one that can be reached from outside; 0 for none."""
        local = {"127.0.0.1", "::1"}
        found = sorted((address in local, port) for address, port in self.listening)
        return found[0][1] if found else 0

    def get(self, port: int, path: str, **ask: Any) -> Answer:  # noqa: ANN401 - as `request`
        """What the server answers."""
        return self._prober.request(port, path, **ask)

    @property
    def logs(self) -> str:
        """The last lines that it printed."""
        return "\n".join(self._lines[-LAST_LINES:])

    def stop(self) -> Shutdown:
        """Send SIGTERM, and SIGKILL after ten seconds: how it ended."""
        start = time.monotonic()
        self._engine.stop(self.name, SECONDS_TO_KILL)
        seconds = time.monotonic() - start
        self._thread.join(SECONDS_TO_KILL)
        return Shutdown(self._done.code if self._done else -1, seconds)

    def _hear(self, line: str) -> None:
        self._lines.append(plain(line))
        del self._lines[: -10 * LAST_LINES]

    def _ended(self) -> Failed:
        self._thread.join()
        code = self._done.code if self._done else -1
        if code == ENGINE_FAILED:
            self._engine.require("the container")
        said = f", and its last lines were:\n{self.logs}" if self.logs else ", and printed nothing"
        return Failed(
            f"the container ended by itself with exit code {code}{said}",
            "a server that keeps running",
        )

    def _silent(self, port: int, seconds: float) -> Failed:
        others = sorted({listening for _, listening in self._prober.listening()})
        named = f"port {port}" if port else "a port"
        actual = f"nothing listens on {named} after {seconds:.0f} s"
        if others:
            actual += f", but on {', '.join(map(str, others))}"
        if self.logs:
            actual += f"; its last lines were:\n{self.logs}"
        return Failed(actual, f"a server that listens on {named}")


def run_to_end(  # noqa: PLR0913 - the parts of one run
    engine: Engine,
    name: str,
    image: str,
    *,
    options: Sequence[str] = (),
    command: Sequence[str] = (),
    seconds: float = SECONDS_TO_RUN,
) -> Run:
    """Run a program's container without a network, to its end or for so many seconds."""
    words = (*LIMITS, "--network=none", *options)
    done = engine.run(name, image, words, command, timeout=seconds)
    engine.remove(name)
    if done.code == ENGINE_FAILED:
        engine.require("the container")
    return Run(done.code, "\n".join(plain(line) for line in done.output.splitlines()))
