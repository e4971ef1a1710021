"""What the pages of one learner share: the files, the terminals, the checks and their events."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desk.checks import Checks
from desk.files import Files
from desk.images import Images
from desk.terminals import Terminals
from workshop.commands.exercises import EXERCISES
from workshop.core.paths import is_local


@dataclass
class Desk:
    """What the pages share. `base` is the folder in which the lessons' commands run."""

    base: Path
    present: bool = False
    events: set[asyncio.Queue[dict[str, Any]]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.exercises = self.base / EXERCISES
        self.files = Files(self.exercises)
        self.terminals = Terminals(self.base)
        self.checks = Checks(self.exercises, self.send)
        self.images = Images(self.exercises)

    def send(self, event: dict[str, Any]) -> None:
        """Send an event to every page."""
        for queue in self.events:
            queue.put_nowait(event)

    async def watch(self) -> None:
        """Send the paths that change in the exercises, until cancelled."""
        from watchfiles import awatch  # noqa: PLC0415 - slow to import

        def matters(_change: object, path: str) -> bool:
            parts = Path(path).relative_to(self.exercises).parts
            return not any(is_local(part) and part != ".env" for part in parts)

        with contextlib.suppress(OSError, RuntimeError):
            async for changes in awatch(
                self.exercises, watch_filter=matters, debounce=100, step=20
            ):
                paths = {Path(path).relative_to(self.exercises).as_posix() for _, path in changes}
                self.send({"files": sorted(paths)})

    async def close(self) -> None:
        """End the terminals and the running check."""
        await asyncio.gather(self.terminals.close_all(), self.checks.stop())
