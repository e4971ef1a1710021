"""The image of an exercise for the page: the bytes that each line of the Dockerfile adds."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

from desk.lessons import folder_of
from workshop.analysis import source
from workshop.core.errors import UserError
from workshop.core.process import SubprocessRunner
from workshop.model import Failed
from workshop.reports.dockerfile_lines import match_lines
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from desk.history import History


class Images:
    """Reads images in a separate process, and keeps the report of the one before the last build."""

    def __init__(self, exercises: Path, history: History) -> None:
        self._exercises, self._history = exercises, history
        self._reading = asyncio.Lock()

    async def describe(self, names: Sequence[str], task: str | None) -> dict[str, Any]:
        """Return the layers of the first image that exists, and the one before its last build.

        `lines` has the Dockerfile's line of each layer, by number; it is None if the Dockerfile
        has changed since the build.
        """
        from workshop.engine import Engine  # noqa: PLC0415 - not needed for the first lesson

        engine = Engine(SubprocessRunner())
        for name in names:
            async with self._reading:
                identity = await asyncio.to_thread(engine.inspect, name, "{{.Id}}")
                if not identity:
                    continue
                known = self._history.read(f"image {name}")
                if not known or known[-1]["id"] != identity:
                    known = self._history.add(f"image {name}", await asyncio.to_thread(_read, name))
            lines = await asyncio.to_thread(self._find_lines, known[-1], task)
            before = known[0] if len(known) > 1 else None
            return {"name": name, "now": known[-1], "lines": lines, "before": before}
        raise UserError("image", "there is none yet", "Run the lesson's docker build command")

    def _find_lines(self, report: dict[str, Any], task: str | None) -> dict[int, int] | None:
        if not task:
            return {}
        try:
            found = source.find(course.task(task), self._exercises / folder_of(task))
            return match_lines(report["history"], found.final().instructions)
        except (UserError, Failed):
            return None


def _read(name: str) -> dict[str, Any]:
    """Return the report of `workshop image`; raise `UserError` if there is none."""
    argv = (sys.executable, "-m", "workshop", "image", name, "--format", "json")
    done = SubprocessRunner()(argv)
    if done.code:
        raise UserError(f"image {name}", done.output.strip(), "Build it again")
    report: dict[str, Any] = json.loads(done.stdout)
    return report
