"""How a container reacts to SIGTERM."""

from __future__ import annotations

from typing import NamedTuple

SECONDS_TO_STOP = 3.0
TERMINATED = 128 + 15
KILLED = 128 + 9


class Shutdown(NamedTuple):
    """The exit code of a container, the seconds from SIGTERM to its end, and its first process."""

    code: int
    seconds: float
    command: str = ""
