"""What a rebuild reuses after a change to one line of the source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.analysis.build_progress import read_steps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workshop.analysis.build_progress import BuildStep
    from workshop.analysis.image.image import Image

# Poetry and uv print a line for each package; pip prints all packages on one line.
_ONE = re.compile(r"\s*(?:- Installing (\S+) \(|\+ ([^=\s]+)==)")
_MANY = "Successfully installed "
# The first step of every build, which is never shared with another build.
_FIRST = "[internal] load build definition"


@dataclass(frozen=True)
class Rebuild:
    """The `image` before, and the diff IDs of its layers after a change to a line of `edited`.

    `project` is the distribution built from the source, which must be installed again.
    `installed` maps each package that the rebuild installed to its build step.
    """

    image: Image
    edited: str
    project: str
    diff_ids: tuple[str, ...]
    installed: Mapping[str, str]

    def reuses(self, layer: int) -> bool:
        """Whether a layer, by its index, is the same as before."""
        before = self.image.diff_ids
        return layer < len(self.diff_ids) and before[layer] == self.diff_ids[layer]


def find_installed(progress: str) -> dict[str, str]:
    """Return the packages that a build installs, with their steps, from BuildKit's raw JSON.

    Cached steps print nothing. BuildKit also reports shared steps of another build; those that
    started before this build are left out.
    """
    steps = read_steps(progress)
    start = min((_time(step) for step in steps if step.name.startswith(_FIRST)), default=("",))
    found: dict[str, str] = {}
    for step in steps:
        if _time(step) >= start:
            name = re.sub(r"^\[[^]]*\] ", "", step.name)
            packages = (package for line in step.log.splitlines() for package in _names(line))
            found |= dict.fromkeys(packages, name)
    return found


def _time(step: BuildStep) -> tuple[str, ...]:
    """Return the start of a step, for comparison: the time in seconds, and its fraction."""
    return tuple(step.started.rstrip("Z").split("."))


def _names(line: str) -> list[str]:
    one = _ONE.match(line)
    names = [one[1] or one[2]] if one else []
    if line.startswith(_MANY):
        names = [word.rpartition("-")[0] for word in line.removeprefix(_MANY).split()]
    return [re.sub(r"[-_.]+", "-", name).lower() for name in names]
