"""`Machine`: the host, its engine, and how to run programs and show progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workshop.core.process import Runner
    from workshop.core.progress import ProgressDisplay
    from workshop.engine import Engine
    from workshop.machine.host import Host


@dataclass(frozen=True)
class Machine:
    """The host, its engine, a runner for its programs, and the progress display."""

    host: Host
    engine: Engine
    run: Runner
    display: ProgressDisplay
