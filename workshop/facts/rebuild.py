"""What a second build reuses once one line of the source has changed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workshop.facts.image import Image

# A step's name in what BuildKit prints, and its lines.
_STEP = re.compile(r"#(\d+) \[[^]]*\] (.*)")
_LINE = re.compile(r"#(\d+) [\d.]+ (.*)")
# Each says it once for a package: poetry, uv, and pip for many on one line.
_ONE = re.compile(r"\s*(?:- Installing (\S+) \(|\+ ([^=\s]+)==)")
_MANY = "Successfully installed "


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


def installed(output: str) -> dict[str, str]:
    """The packages that a build says it installs, each with its step: what is cached is silent."""
    steps: dict[str, str] = {}
    found: dict[str, str] = {}
    for line in output.splitlines():
        if step := _STEP.match(line):
            steps[step[1]] = step[2]
        elif said := _LINE.match(line):
            for name in _names(said[2]):
                found[re.sub(r"[-_.]+", "-", name).lower()] = steps.get(said[1], "")
    return found


def _names(line: str) -> list[str]:
    if line.startswith(_MANY):
        return [word.rpartition("-")[0] for word in line.removeprefix(_MANY).split()]
    one = _ONE.match(line)
    return [one[1] or one[2]] if one else []
