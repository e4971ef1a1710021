"""Tools of the engine tests: run programs, and inspect containers from outside."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from socketserver import BaseServer

T = TypeVar("T")
S = TypeVar("S", bound="BaseServer")

ROOT = Path(__file__).resolve().parent.parent
WORKSHOP = (str(ROOT / ".venv/bin/python"), "-m", "workshop")
POLL_SECONDS = 0.1
# A server of the standard library looks so often whether it shall stop.
SECONDS_TO_STOP = 0.02
ENGINE_SOCKET = "/var/run/docker.sock"


def run(
    *argv: str, check: bool = True, timeout: float = 600, **options
) -> subprocess.CompletedProcess[str]:
    """Run a program and wait for it, with both outputs merged."""
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


@dataclass(frozen=True)
class Kit:
    """Runs the kit's commands in a folder and an environment."""

    folder: Path
    env: dict[str, str]

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            (sys.executable, "-m", "workshop", *arguments),
            cwd=self.folder,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **env: str) -> tuple[int, str, str]:
        """Return the exit code and both outputs."""
        with self.start(*arguments, **env) as child:
            out, err = child.communicate(timeout=60)
        assert "Traceback" not in out + err
        return child.returncode, out, err


def run_async(work: Coroutine[object, object, T]) -> T:
    """Run a coroutine; in this thread, Playwright may have left an event loop that runs."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, work).result()


@contextlib.contextmanager
def serving(server: S) -> Iterator[S]:
    """Serve in a thread until the block ends."""
    with server:
        threading.Thread(target=server.serve_forever, args=(SECONDS_TO_STOP,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def docker(*arguments: str, **options) -> str:
    """Return the output of `docker ARGUMENTS`."""
    return run("docker", *arguments, **options).stdout.strip()


def until(condition: Callable[[], T], what: str, seconds: float = 30) -> T:
    """Wait until `condition` is true, and return its value; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(POLL_SECONDS)
    return found


def free_ports(count: int) -> list[int]:
    """Return ports of this machine on which no program listens."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def get(address: str) -> httpx.Response:
    """Send a request to this machine, without checking certificates."""
    return httpx.get(address, timeout=5, verify=False, trust_env=False)


@dataclass(frozen=True)
class Container:
    """A running container."""

    id: str

    def address(self, port: int) -> str:
        """Return the URL on this machine that leads to the container's `port`."""
        return "http://" + docker("port", self.id, str(port)).splitlines()[0]

    def answers(self, port: int, path: str = "/", seconds: float = 30) -> httpx.Response:
        """Wait for the first response of the container, and return it."""

        address = self.address(port) + path

        def request() -> httpx.Response | None:
            with contextlib.suppress(httpx.TransportError):
                return get(address)
            return None

        try:
            return until(request, f"a response on {port}{path}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; its log:\n{self.logs()}") from None

    @property
    def running(self) -> bool:
        return docker("inspect", "--format", "{{.State.Running}}", self.id) == "true"

    @property
    def health(self) -> str:
        return docker("inspect", "--format", "{{.State.Health.Status}}", self.id)

    def logs(self) -> str:
        return docker("logs", self.id)

    def uids(self) -> set[int]:
        """Return the user ids of its processes, as the host sees them."""
        lines = docker("top", self.id, "-eo", "uid,pid").splitlines()[1:]
        return {int(line.split()[0]) for line in lines}

    def stop(self) -> tuple[int, float]:
        """Stop the container; return its exit code, and the seconds that it took."""
        start = datetime.now(UTC)
        docker("stop", "--time", "10", self.id)
        state = json.loads(docker("inspect", "--format", "{{json .State}}", self.id))
        # From the engine: on a busy machine, the docker command ends later than the container.
        end = datetime.fromisoformat(re.sub(r"\.(\d{6})\d*Z", r".\1+00:00", state["FinishedAt"]))
        return state["ExitCode"], (end - start).total_seconds()

    def run(self, *command: str, check: bool = True) -> str:
        """Return the output of a command that runs in the container."""
        return docker("exec", self.id, *command, check=check)


@contextlib.contextmanager
def built_from(dockerfile: str) -> Iterator[str]:
    """Build an image without a context, which exists until the block ends."""
    name = f"workshop-test-{secrets.token_hex(4)}:x"
    argv = ["docker", "build", "--quiet", "--tag", name, "-"]
    subprocess.run(argv, input=dockerfile.encode(), check=True, capture_output=True)
    try:
        yield name
    finally:
        docker("image", "rm", "--force", name, check=False)


@contextlib.contextmanager
def container(image: str, *options: str, command: tuple[str, ...] = ()) -> Iterator[Container]:
    """Run a container until the block ends."""
    name = f"workshop-test-{secrets.token_hex(4)}"
    try:
        docker("run", "--detach", "--name", name, *options, image, *command)
        yield Container(name)
    finally:
        docker("rm", "--force", "--volumes", name, check=False)


def files_in(image: str) -> list[str]:
    """Return the path of every file in `image`, without a leading slash."""
    find = ("--user=0", "--network=none", "--entrypoint=find", image, "/", "-xdev", "-type", "f")
    return [path.removeprefix("/") for path in docker("run", "--rm", *find).splitlines()]


def config_of(image: str) -> dict:
    """Return the image's configuration from `docker image inspect`."""
    return json.loads(docker("image", "inspect", "--format", "{{json .Config}}", image))


class Proxy:
    """A Unix socket that forwards everything to the engine, until it is closed."""

    def __init__(self, path: Path) -> None:
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._ends: list[socket.socket] = [self._server]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
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
                    threading.Thread(target=self._forward, args=pair, daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
