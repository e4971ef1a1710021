"""What a second build reuses once one line of the source has changed."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workshop.analysis.image.image import Image

# Each says it once for a package: poetry, uv, and pip for many on one line.
_ONE = re.compile(r"\s*(?:- Installing (\S+) \(|\+ ([^=\s]+)==)")
_MANY = "Successfully installed "
# The step that every build begins with, and runs itself.
_FIRST = "[internal] load build definition"


@dataclass(frozen=True)
class Rebuild:
    """The `image`, and the digests of its layers after a line of `edited` has changed.

    `project` is the distribution that the source is, which of course is another one then.
    `installed` are the packages, by name, that a step of any stage has installed once more.
    """

    image: Image
    edited: str
    project: str
    diff_ids: tuple[str, ...]
    installed: Mapping[str, str]

    def reuses(self, layer: int) -> bool:
        """Whether the layer of this index is the same as before."""
        before = self.image.diff_ids
        return layer < len(self.diff_ids) and before[layer] == self.diff_ids[layer]


def installed(progress: str) -> dict[str, str]:
    """The packages that a build installs, each with its step, by BuildKit's `progress` in JSON.

    What comes from the cache is silent. What another build runs at the same time is told here too,
    but it began before this one.
    """
    steps: dict[str, dict[str, str]] = {}
    said: dict[str, str] = {}
    for part in _documents(progress):
        for vertex in part.get("vertexes") or ():
            step = steps.setdefault(vertex["digest"], {"name": vertex["name"]})
            if "started" in vertex:
                step.setdefault("started", vertex["started"])
        for log in part.get("logs") or ():
            text = base64.b64decode(log["data"]).decode("utf-8", "replace")
            said[log["vertex"]] = said.get(log["vertex"], "") + text
    begun = min((_time(s) for s in steps.values() if s["name"].startswith(_FIRST)), default=("",))
    found: dict[str, str] = {}
    for digest, text in said.items():
        step = steps.get(digest, {"name": ""})
        if _time(step) >= begun:
            name = re.sub(r"^\[[^]]*\] ", "", step["name"])
            found |= dict.fromkeys((p for line in text.splitlines() for p in _names(line)), name)
    return found


def _documents(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects of a text, each of which begins a line; other lines are left out."""
    decoder, at = json.JSONDecoder(), 0
    while (at := text.find("{", at)) >= 0:
        try:
            part, at = decoder.raw_decode(text, at)
        except ValueError:
            at = text.find("\n", at) if "\n" in text[at:] else len(text)
            continue
        yield part


def _time(step: Mapping[str, str]) -> tuple[str, ...]:
    """When a step began, to be compared: the second, and the digits of what is left of it."""
    return tuple(step.get("started", "").rstrip("Z").split("."))


def _names(line: str) -> list[str]:
    one = _ONE.match(line)
    names = [one[1] or one[2]] if one else []
    if line.startswith(_MANY):
        names = [word.rpartition("-")[0] for word in line.removeprefix(_MANY).split()]
    return [re.sub(r"[-_.]+", "-", name).lower() for name in names]
