"""A Docker engine that a test may kill: it shares no folder and no network with this machine's."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Self

from harness import container, docker, run, until

from workshop.analysis.container.prober_client import PROBER_IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# Smaller than that of any network around it.
_MTU = 1300
_SUBNET = "10.213.0.1/24"


def is_possible() -> bool:
    """Whether this user can start a second engine here."""
    return os.geteuid() == 0 and all(map(shutil.which, ("dockerd", "nsenter")))


class OwnEngine:
    """An engine with its files in `folder`, in the network of a container of this machine's engine.

    Two engines in one network namespace would both create docker0. A context manager: the engine
    answers until the block ends, unless the test kills it. `options` and `variables` are added to
    those of dockerd.
    """

    def __init__(
        self,
        folder: Path,
        options: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._folder, self._options = folder, options
        self._env = {**os.environ, **(variables or {})}
        self.host = f"unix://{folder}/engine.sock"
        self._stack = contextlib.ExitStack()
        self._daemon: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._folder.mkdir(parents=True, exist_ok=True)
            holder = stack.enter_context(container(PROBER_IMAGE, command=("sleep", "infinity")))
            process = docker("inspect", "--format", "{{.State.Pid}}", holder.id)
            # Not `ip netns exec`, which mounts another /sys, without the cgroups.
            self.inside = ("nsenter", f"--net=/proc/{process}/ns/net")
            stack.callback(self._remove)
            self.start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def env(self) -> dict[str, str]:
        """The variable that directs the docker command to this engine."""
        return {"DOCKER_HOST": self.host}

    def start(self) -> None:
        """Start the engine, and wait until it answers."""
        folder = self._folder
        argv = [
            *(*self.inside, "dockerd", "--host", self.host, "--bip", _SUBNET, "--mtu", str(_MTU)),
            *("--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"),
            *("--pidfile", f"{folder}/pid", *self._options),
        ]
        with (folder / "log").open("ab") as log:
            # In its own session, Ctrl-C reaches the tests only, which then end the engine.
            self._daemon = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env,
                start_new_session=True,
            )
        try:
            until(self._answers, "the test's own engine")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{(folder / 'log').read_text()[-2000:]}") from None

    def kill(self) -> None:
        """End the engine with SIGKILL. Its containers go on, as after a crash."""
        self._end(signal.SIGKILL)

    def docker(self, *arguments: str) -> str:
        """Return the output of `docker ARGUMENTS` on this engine."""
        return docker("--host", self.host, *arguments)

    def load(self, images: Iterable[str]) -> None:
        """Copy images from this machine's engine."""
        with subprocess.Popen(("docker", "save", *images), stdout=subprocess.PIPE) as saved:
            argv = ("docker", "--host", self.host, "load", "--quiet")
            subprocess.run(argv, stdin=saved.stdout, stdout=subprocess.DEVNULL, check=True)
        assert saved.returncode == 0

    def _answers(self) -> bool:
        assert self._daemon
        assert self._daemon.poll() is None, "it has ended"
        return run("docker", "--host", self.host, "info", check=False).returncode == 0

    def _end(self, number: signal.Signals) -> None:
        if self._daemon and self._daemon.poll() is None:
            self._daemon.send_signal(number)
            self._daemon.wait(60)

    def _remove(self) -> None:
        """Remove all containers, so that no process of theirs is left, and end the engine."""
        try:
            if self._daemon and self._daemon.poll() is not None:
                self.start()
            if containers := self.docker("ps", "--all", "--quiet").split():
                self.docker("rm", "--force", "--volumes", *containers)
        finally:
            self._end(signal.SIGTERM)
            self._unmount()

    def _unmount(self) -> None:
        """Remove the mounts that an engine leaves which was killed, the latest first."""
        lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
        targets = [line.split()[1] for line in lines]
        for target in reversed(targets):
            if target.startswith(f"{self._folder}/"):
                run("umount", "--lazy", target)
