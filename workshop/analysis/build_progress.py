"""Reads BuildKit's raw JSON progress: what each step of a build did, and for how long."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class BuildStep:
    """A step as BuildKit names it, such as `[2/3] RUN make`, with what it printed.

    `started` and `completed` are times as in RFC 3339, empty if the step did not start or end.
    """

    name: str
    started: str = ""
    completed: str = ""
    cached: bool = False
    log: str = ""

    @property
    def seconds(self) -> float:
        """How long the step ran; 0 if it did not start or end."""
        if not self.started or not self.completed:
            return 0.0
        return max(0.0, _seconds(self.completed) - _seconds(self.started))


def read_steps(progress: str) -> list[BuildStep]:
    """Return the steps of a build, in the order in which BuildKit first names them."""
    steps: dict[str, BuildStep] = {}
    for message in _documents(progress):
        for vertex in message.get("vertexes") or ():
            step = steps.setdefault(vertex["digest"], BuildStep(vertex["name"]))
            step.started = step.started or vertex.get("started") or ""
            step.completed = vertex.get("completed") or step.completed
            step.cached = step.cached or bool(vertex.get("cached"))
        for log in message.get("logs") or ():
            step = steps.setdefault(log["vertex"], BuildStep(""))
            step.log += base64.b64decode(log["data"]).decode("utf-8", "replace")
    return list(steps.values())


def find_started(line: str) -> list[str]:
    """Return the names of the steps that start in a line of the progress."""
    return [
        vertex["name"]
        for message in _documents(line)
        for vertex in message.get("vertexes") or ()
        if vertex.get("started") and not vertex.get("completed")
    ]


def _documents(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects in a text, one at the start of a line; skip other lines."""
    decoder, position = json.JSONDecoder(), 0
    while (position := text.find("{", position)) >= 0:
        try:
            document, position = decoder.raw_decode(text, position)
        except ValueError:
            position = text.find("\n", position) if "\n" in text[position:] else len(text)
            continue
        yield document


def _seconds(time: str) -> float:
    """Return a time in seconds. Go prints nine digits of a second, or fewer."""
    whole, _, fraction = time.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")
