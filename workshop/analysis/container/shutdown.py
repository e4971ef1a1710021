"""How a container ended when it was asked to."""

from __future__ import annotations

from typing import NamedTuple

SECONDS_TO_STOP = 3.0
TERMINATED = 128 + 15
KILLED = 128 + 9


class Shutdown(NamedTuple):
    """How a container took SIGTERM: its exit code, and after how many seconds it was gone."""

    code: int
    seconds: float
