"""Measure a rebuild after one edited line beside the same build with nothing changed.

The unchanged build is the floor: what the docker command and the engine cost by themselves. If a
rebuild runs a step again, a note names the longest such step and its time: for a wheel, that is
what building and installing the wheel costs.
"""

from __future__ import annotations

import re
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import command
from benchmarks.images import label, new_name
from benchmarks.rebuild import describe_stand_ins, edit
from benchmarks.rounds import Case
from workshop.core.paths import ROOT
from workshop.engine import Engine
from workshop.site.benchmarks import number
from workshop.stack import versions
from workshop.stack.images import IMAGES

if TYPE_CHECKING:
    from benchmarks.rounds import Rounds
    from workshop.stack.images import Image

MB = 10**6
# BuildKit's plain progress: "#13 [wheel 3/3] RUN ..." and later "#13 DONE 0.5s".
_STEP = re.compile(r"^#(\d+) \[([^]]+)] (RUN.*)$", re.MULTILINE)
_DONE = re.compile(r"^#(\d+) DONE ([\d.]+)s$", re.MULTILINE)


class Subject:
    """One image, built in its own copy of its folder."""

    def __init__(self, image: Image, folder: Path, engine: Engine) -> None:
        self.image, self._engine = image, engine
        self.name = new_name()
        ignored = shutil.ignore_patterns(".venv", "__pycache__", ".*_cache", ".env")
        shutil.copytree(ROOT / image.folder, folder / image.folder, ignore=ignored)
        self._build_arguments = replace(image.build(folder), image=self.name)
        self._source = folder / image.folder / image.source
        # The longest step of each rebuild that was not cached: its stage, and its seconds.
        self._steps: list[tuple[float, str]] = []

    def edited(self) -> dict[str, float]:
        """Build after an edit of one line; the size is in megabytes."""
        edit(self._source)
        seconds, output = self._build()
        self._steps.append(longest_step(output))
        return {"rebuild": seconds}

    def unchanged(self) -> dict[str, float]:
        """Build again without a change."""
        return {"rebuild": self._build()[0]}

    def size(self) -> float:
        """Return the size of the image with its base, in megabytes."""
        return self._engine.size(self.name) / MB

    def describe(self) -> str:
        """Return a sentence about the step that a rebuild runs again; empty if it runs none."""
        stages = {stage for _, stage in self._steps if stage}
        if not stages:
            return ""
        seconds = number(statistics.median(seconds for seconds, _ in self._steps))
        return f"{label(self.image)} runs a step again, `{min(stages)}`, in {seconds} s."

    def _build(self) -> tuple[float, str]:
        start = time.perf_counter()
        output = self._engine.build(self._build_arguments).output
        return time.perf_counter() - start, output


def longest_step(output: str) -> tuple[float, str]:
    """Return the seconds and the stage of the longest RUN in BuildKit's output.

    A cached step has no time; without another one, they are 0 and empty.
    """
    seconds = {number: float(time) for number, time in _DONE.findall(output)}
    ran = [
        (seconds[number], stage) for number, stage, _ in _STEP.findall(output) if number in seconds
    ]
    return max(ran, default=(0.0, ""))


def measure(rounds: Rounds) -> None:
    """Rebuild every image that has a source file, edited and unchanged in turn."""
    engine = Engine()
    engine.require("benchmark floor")
    with tempfile.TemporaryDirectory() as made:
        subjects = [
            Subject(image, Path(made, str(number)), engine)
            for number, image in enumerate(image for image in IMAGES if image.source)
        ]
        sides = [
            Case(label(subject.image), side, run)
            for subject in subjects
            for side, run in (("unchanged", subject.unchanged), ("edited", subject.edited))
        ]
        try:
            rounds.compare(sides)
            for subject in subjects:
                rounds.add(label(subject.image), "image", {"size": subject.size()})
                if sentence := subject.describe():
                    rounds.note(sentence)
        finally:
            engine.remove_images(*(subject.name for subject in subjects))
    bases = [base.image for base in versions.read(ROOT / "versions.toml").base]
    for note in describe_stand_ins(engine, *bases):
        rounds.note(note)


if __name__ == "__main__":
    sys.exit(command.main("floor", measure))
