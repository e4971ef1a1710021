"""Notices a container that exceeds a limit: what it prints, and the memory that it uses."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from workshop.analysis.container.shutdown import KILLED
from workshop.core.sizes import format_bytes
from workshop.model import Failed

if TYPE_CHECKING:
    from workshop.engine import Engine


# Of a processor's time, in microseconds: the kernel's usual period.
CPU_PERIOD = 100_000


class RunLimits(NamedTuple):
    """The limits of a container: bytes of its output, its memory and one file, and its processes.

    `cpus` is a number of processors. With 0, a file or the processors are not limited.
    """

    output: int = 64_000_000
    memory: int = 1_000_000_000
    processes: int = 512
    file: int = 0
    cpus: float = 0

    def share(self, containers: int) -> RunLimits:
        """Return the limits of each of several containers that have these limits together."""
        count = max(containers, 1)
        return self._replace(
            memory=self.memory // count,
            processes=self.processes // count,
            cpus=self.cpus / count,
        )

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `docker run`."""
        found = [f"--memory={self.memory}", f"--memory-swap={self.memory}"]
        found.append(f"--pids-limit={self.processes}")
        if self.file:
            found.append(f"--ulimit=fsize={self.file}")
        if self.cpus:
            # Unlike --cpus, it may be more than the machine has.
            found.append(f"--cpu-quota={cpu_quota(self.cpus)}")
        return tuple(found)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of a service in a compose file."""
        # A second file shows that the first one became too large.
        files = {"max-size": f"{self.output}", "max-file": "2"}
        found: dict[str, Any] = {
            "mem_limit": self.memory,
            "memswap_limit": self.memory,
            "pids_limit": self.processes,
            "logging": {"driver": "json-file", "options": files},
        }
        if self.file:
            found["ulimits"] = {"fsize": self.file}
        return found | ({"cpu_quota": cpu_quota(self.cpus)} if self.cpus else {})


def cpu_quota(cpus: float) -> int:
    """Return how much of each period so many processors may use, in microseconds."""
    return int(cpus * CPU_PERIOD)


class OutputLimit:
    """Counts what a container prints, and kills the container after `most` bytes."""

    def __init__(self, engine: Engine, name: str, most: int) -> None:
        self._engine, self._name, self._most = engine, name, most
        self._printed = 0

    def add(self, line: str) -> None:
        """Count a line."""
        before, self._printed = self._printed, self._printed + len(line) + 1
        if before <= self._most < self._printed:
            # The engine waits until somebody has read what the container printed, as this thread
            # does.
            stop = threading.Thread(target=self._engine.stop, args=(self._name, 0), daemon=True)
            stop.start()

    def check(self) -> None:
        """Raise `Failed` if the container printed too much."""
        if self._printed > self._most:
            most = format_bytes(self._most)
            raise Failed(f"the container printed more than {most}", f"at most {most} of output")


def check_memory(engine: Engine, name: str, code: int, most: int) -> None:
    """Raise `Failed` if a container ended with `code` because it used more memory than `most`."""
    if code == KILLED and engine.state(name).get("OOMKilled"):
        actual = f"exit code {code}: the container used more than {format_bytes(most)} of memory"
        raise Failed(actual, f"a program that needs at most {format_bytes(most)}")
