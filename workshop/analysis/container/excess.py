"""Notices a container that exceeds a limit: what it prints, and the memory that it uses."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis.container.shutdown import KILLED
from workshop.core.sizes import format_bytes
from workshop.model import Failed

if TYPE_CHECKING:
    from workshop.engine import Engine


class RunLimits(NamedTuple):
    """The limits of a container's output and memory, in bytes."""

    output: int = 64_000_000
    memory: int = 1_000_000_000


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
