"""Containers seen from outside: what the engine tests look with."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
WORKSHOP = (str(ROOT / ".venv/bin/python"), "-m", "workshop")
POLL_SECONDS = 0.1
ENGINE_SOCKET = "/var/run/docker.sock"


def run(
    *argv: str, check: bool = True, timeout: float = 600, **options
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; its two outputs are merged."""
    env = {**os.environ, **options.pop("env", {})}
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        env=env,
        check=False,
        **options,
    )
    assert done.returncode == 0 or not check, f"{' '.join(argv)}: {done.returncode}\n{done.stdout}"
    return done


def docker(*words: str, **options) -> str:
    """What `docker WORDS` prints."""
    return run("docker", *words, **options).stdout.strip()


def until(condition: Callable[[], T], what: str, seconds: float = 30) -> T:
    """Wait until `condition` holds, and return what it gave; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(POLL_SECONDS)
    return found


def free_ports(count: int) -> list[int]:
    """So many ports of this machine that nothing listens on."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def get(address: str) -> httpx.Response:
    """One plain request to this machine, without the certificates that https would want."""
    return httpx.get(address, timeout=5, verify=False, trust_env=False)


@dataclass(frozen=True)
class Container:
    """A running container."""

    id: str

    def address(self, port: int) -> str:
        """Where the container's `port` is on this machine."""
        return "http://" + docker("port", self.id, str(port)).splitlines()[0]

    def answers(self, port: int, path: str = "/", seconds: float = 30) -> httpx.Response:
        """The first answer that the container gives there."""

        address = self.address(port) + path

        def ask() -> httpx.Response | None:
            with contextlib.suppress(httpx.TransportError):
                return get(address)
            return None

        try:
            return until(ask, f"an answer on {port}{path}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it said:\n{self.logs()}") from None

    @property
    def running(self) -> bool:
        return docker("inspect", "--format", "{{.State.Running}}", self.id) == "true"

    @property
    def health(self) -> str:
        return docker("inspect", "--format", "{{.State.Health.Status}}", self.id)

    def logs(self) -> str:
        return docker("logs", self.id)

    def uids(self) -> set[int]:
        """The user of every process in it, as the host sees them."""
        lines = docker("top", self.id, "-eo", "uid,pid").splitlines()[1:]
        return {int(line.split()[0]) for line in lines}

    def stop(self) -> tuple[int, float]:
        """Send SIGTERM, as `docker stop` does: the exit code, and after how many seconds."""
        start = datetime.now(UTC)
        docker("stop", "--time", "10", self.id)
        state = json.loads(docker("inspect", "--format", "{{json .State}}", self.id))
        # The engine's own time of its end: the docker command's may be later on a busy machine.
        end = datetime.fromisoformat(re.sub(r"\.(\d{6})\d*Z", r".\1+00:00", state["FinishedAt"]))
        return state["ExitCode"], (end - start).total_seconds()

    def run(self, *command: str, check: bool = True) -> str:
        """What a command prints that runs inside."""
        return docker("exec", self.id, *command, check=check)


@contextlib.contextmanager
def container(image: str, *options: str, command: tuple[str, ...] = ()) -> Iterator[Container]:
    """A container for as long as the block runs."""
    name = f"workshop-test-{secrets.token_hex(4)}"
    try:
        docker("run", "--detach", "--name", name, *options, image, *command)
        yield Container(name)
    finally:
        docker("rm", "--force", "--volumes", name, check=False)


def files_in(image: str) -> list[str]:
    """The path of every file in `image`, without a leading slash."""
    words = ("--user=0", "--network=none", "--entrypoint=find", image, "/", "-xdev", "-type", "f")
    return [path.removeprefix("/") for path in docker("run", "--rm", *words).splitlines()]


def config_of(image: str) -> dict:
    """The image's configuration, as `docker image inspect` has it."""
    return json.loads(docker("image", "inspect", "--format", "{{json .Config}}", image))


class Wire:
    """A socket that passes everything on to the engine, until it is cut."""

    def __init__(self, path: Path) -> None:
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._ends: list[socket.socket] = [self._server]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._server.accept()[0]
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(ENGINE_SOCKET)
                self._ends += [client, engine]
                for pair in ((client, engine), (engine, client)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
