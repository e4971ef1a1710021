"""Machines of a classroom, simulated: each has its own network, mounts and engine.

They are in network namespaces of this machine. A bridge connects them, and no route leads out.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Self

from harness import docker, run, until

NETWORK = "10.214.7"
PREFIX = 24
# Of the bridge in an engine: that of no other network here.
_DOCKER_SUBNET = "10.215.0.1/24"
# Only what a fresh machine has: no proxy, no package index, no certificates of this machine.
_ENVIRONMENT = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "XDG_CONFIG_DIRS": "/nonexistent"}


def are_possible() -> bool:
    """Whether this user can create namespaces, and start engines in them."""
    programs = ("dockerd", "nsenter", "unshare", "ip", "mount")
    return os.geteuid() == 0 and all(map(shutil.which, programs))


class Machine:
    """A process that holds a network namespace and a mount namespace; its files are in `folder`.

    A context manager: when the block ends, its processes have ended.
    """

    def __init__(self, folder: Path, address: str, subnet: str = _DOCKER_SUBNET) -> None:
        """`subnet` is that of the bridge in a learner's engine."""
        self.folder, self.address, self.subnet = folder, address, subnet
        self.stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            argv = ("unshare", "--net", "--mount", "--propagation", "private", "sleep", "infinity")
            self._holder = stack.enter_context(subprocess.Popen(argv, start_new_session=True))
            stack.callback(self._holder.kill)
            here = Path("/proc/self/ns/net").stat().st_ino
            pid = self._holder.pid
            until(lambda: Path(f"/proc/{pid}/ns/net").stat().st_ino != here, "a namespace")
            until(lambda: self._comm() == "sleep", "private mounts")
            self.inside = ("nsenter", f"--target={pid}", "--net", "--mount")
            (self.folder / "home").mkdir(parents=True, exist_ok=True)
            self.run("ip", "link", "set", "lo", "up")
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self.stack.close()

    def _comm(self) -> str:
        return Path(f"/proc/{self._holder.pid}/comm").read_text(encoding="ascii").strip()

    @property
    def pid(self) -> int:
        return self._holder.pid

    @property
    def env(self) -> dict[str, str]:
        """The environment of its programs."""
        return {**_ENVIRONMENT, "HOME": str(self.folder / "home")}

    def command(self, *argv: str) -> tuple[str, ...]:
        """Return a command that runs `argv` in this machine, with nothing of the environment."""
        settings = (f"{name}={value}" for name, value in self.env.items())
        return (*self.inside, "env", "-i", *settings, *argv)

    def run(self, *argv: str, check: bool = True, timeout: float = 900, **options) -> str:
        """Run a program in this machine, and return its output."""
        return run(*self.command(*argv), check=check, timeout=timeout, **options).stdout


class Switch(Machine):
    """The machine of the classroom, with a bridge that learners' machines are connected to."""

    def __enter__(self) -> Self:
        super().__enter__()
        self.run("ip", "link", "add", "room", "type", "bridge")
        self.run("ip", "address", "add", f"{self.address}/{PREFIX}", "dev", "room")
        self.run("ip", "link", "set", "room", "up")
        return self

    def connect(self, machine: Machine) -> None:
        """Connect another machine, which then has its address, and no other route."""
        near = f"w{secrets.token_hex(4)}"
        far = ("peer", "name", "eth0", "netns", str(machine.pid))
        self.run("ip", "link", "add", near, "type", "veth", *far)
        self.run("ip", "link", "set", near, "master", "room", "up")
        machine.run("ip", "address", "add", f"{machine.address}/{PREFIX}", "dev", "eth0")
        machine.run("ip", "link", "set", "eth0", "up")


class Learner(Machine):
    """A machine with an engine. Docker's certificates are its own."""

    @property
    def host(self) -> str:
        return f"unix://{self.folder}/engine.sock"

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, "DOCKER_HOST": self.host}

    def start_engine(self) -> None:
        """Start the engine, and wait until it answers; it ends with the machine."""
        own = self.folder / "etc-docker"
        own.mkdir()
        self.run("mount", "--bind", str(own), "/etc/docker")
        folder = self.folder
        argv = self.command(
            *("dockerd", "--host", self.host, "--bip", self.subnet),
            *("--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"),
            *("--pidfile", f"{folder}/pid", "--label", "workshop.engine=kit"),
        )
        with (folder / "engine.log").open("wb") as log:
            daemon = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.stack.callback(self._stop, daemon)
        try:
            until(self._answers, "a learner's engine", 60)
        except AssertionError as error:
            raise AssertionError(
                f"{error}\n{(folder / 'engine.log').read_text()[-3000:]}"
            ) from None

    def docker(self, *arguments: str, **options) -> str:
        """Return the output of `docker ARGUMENTS` on the learner's engine."""
        return self.run("docker", *arguments, **options).strip()

    def _answers(self) -> bool:
        return run("docker", "--host", self.host, "info", check=False).returncode == 0

    def _stop(self, daemon: subprocess.Popen[bytes]) -> None:
        if daemon.poll() is None:
            containers = docker("--host", self.host, "ps", "--all", "--quiet").split()
            if containers:
                docker("--host", self.host, "rm", "--force", "--volumes", *containers)
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(60)
