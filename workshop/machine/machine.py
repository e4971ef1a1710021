"""What the kit works with on this machine."""

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
    """The facts of the host, the door to its engine, its programs, and where progress is shown."""

    host: Host
    engine: Engine
    run: Runner
    display: ProgressDisplay
