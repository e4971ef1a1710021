"""The image of an exercise for the page: the bytes that each line of the Dockerfile adds."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

from desk.lessons import folder_of
from workshop.analysis import source
from workshop.core.errors import UserError
from workshop.model import Failed
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Images:
    """Reads images in a separate process, and remembers the one before the last build."""

    def __init__(self, exercises: Path) -> None:
        self._exercises = exercises
        # The last two different reports of each image.
        self._reports: dict[str, list[dict[str, Any]]] = {}

    async def describe(self, names: Sequence[str], task: str) -> dict[str, Any]:
        """Return the layers of the first image that exists, and the one before its last build."""
        error = "build it with the lesson's docker build command first"
        for name in names:
            found, error = await _read(name)
            if not found:
                continue
            _add_lines(found, self._find_lines(task))
            known = self._reports.setdefault(name, [])
            if not known or known[-1]["id"] != found["id"]:
                known.append(found)
                del known[:-2]
            known[-1] = found
            return {"name": name, "now": found, "before": known[0] if len(known) > 1 else None}
        raise UserError("image", "there is none yet", error)

    def _find_lines(self, task: str) -> list[tuple[str, int]]:
        """Return the keyword and the line of each instruction of the image's Dockerfile."""
        if not task:
            return []
        try:
            found = source.find(course.task(task), self._exercises / folder_of(task))
            steps = found.final(found.recipe).instructions
        except (UserError, Failed, StopIteration):
            return []
        return [(step.keyword, step.line) for step in steps]


async def _read(name: str) -> tuple[dict[str, Any] | None, str]:
    """Return the report of `workshop image`, or the reason why there is none."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "workshop", "image", name, "--format", "json"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if process.returncode:
        return None, errors.decode("utf-8", errors="replace").strip()
    return json.loads(output), ""


def _add_lines(report: dict[str, Any], steps: list[tuple[str, int]]) -> None:
    """Add the line of the Dockerfile to each layer, if the history ends with its instructions.

    The Dockerfile may have changed since the build: then a step has another keyword.
    """
    history = report["history"][-len(steps) :] if steps else []
    lines = {
        step["layer"]: line
        for step, (keyword, line) in zip(history, steps, strict=False)
        if step["layer"] is not None and step["made_by"].startswith(keyword)
    }
    for layer in report["layers"]:
        layer["line"] = lines.get(layer["number"])
