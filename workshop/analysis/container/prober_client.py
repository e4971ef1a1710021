"""Runs `prober.py` in a container, and sends requests to it."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workshop.analysis.container import prober
from workshop.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workshop.core.process import InteractiveProcess
    from workshop.engine import Engine

# A base image of the course that has Python.
PROBER_IMAGE = "python:3.13-slim-trixie"
_OPTIONS = (
    "--pull=never",
    "--user=65534:65534",
    "--read-only",
    "--cap-drop=ALL",
    "--memory=128m",
    "--pids-limit=32",
    "--security-opt=no-new-privileges",
    "--log-driver=none",
)
SECONDS_TO_ANSWER = 10.0
# Clients with different headers and addresses: a server must answer all of them alike.
CLIENTS = (
    ("curl", {"User-Agent": "curl/8.14.1", "Accept": "*/*"}, "127.0.0.1"),
    (
        "a browser",
        {
            "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "Accept-Language": "en-US,en;q=0.5",
        },
        "127.0.0.2",
    ),
    ("Python", {"User-Agent": "Python-urllib/3.13"}, "127.0.0.3"),
)
ROUNDS = 3
SECONDS_TO_PROBE = 60.0


@dataclass(frozen=True)
class Response:
    """A server's HTTP response, or an `error` if there was none."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    error: str = ""

    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """Return the body as JSON; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Prober:
    """A trusted container whose network a learner's container joins."""

    def __init__(self, engine: Engine, name: str, process: InteractiveProcess) -> None:
        self._engine, self.name, self._process = engine, name, process
        # Two checks may send a line at once; each has to get its own reply.
        self._lock = threading.Lock()
        self._send({"do": "ready"})

    def listening(self) -> list[tuple[str, int]]:
        """Return the address and port of every listening TCP socket."""
        return [(address, port) for address, port in self._send({"do": "listening"})]

    def request(  # noqa: PLR0913 - the parts of an HTTP request
        self,
        port: int,
        path: str,
        *,
        method: str = "GET",
        body: str = "",
        headers: Mapping[str, str] | None = None,
        seconds: float = SECONDS_TO_ANSWER,
        source: str = "127.0.0.1",
    ) -> Response:
        """Send one HTTP request to a port, from the address `source` of the loopback network."""
        return Response(
            **self._send(
                {
                    "do": "request",
                    "method": method,
                    "port": port,
                    "path": path,
                    "headers": dict(headers or {}),
                    "body": body,
                    "seconds": seconds,
                    "source": source,
                }
            )
        )

    def _send(self, message: Mapping[str, Any]) -> Any:  # noqa: ANN401 - depends on `do`
        with self._lock:
            line = self._process.ask(json.dumps(message), SECONDS_TO_PROBE)
        try:
            return json.loads(line)
        except ValueError:
            self._engine.require("the prober")
            fix = f"Run `workshop bases`: the prober needs {PROBER_IMAGE}. Then check again"
            raise UserError("the prober", "its container does not answer", fix) from None


@contextlib.contextmanager
def run_prober(engine: Engine, name: str, network: str = "none") -> Iterator[Prober]:
    """Run a prober until the block ends; `container:NAME` joins that container's network."""
    script = Path(prober.__file__).read_text(encoding="utf-8")
    command = ("python", "-I", "-S", "-u", "-c", script)
    options = (*_OPTIONS, f"--network={network}")
    try:
        with engine.interact(name, PROBER_IMAGE, options, command) as process:
            yield Prober(engine, name, process)
    finally:
        engine.remove(name)
