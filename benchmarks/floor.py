"""Measure a rebuild after one edited line beside the same build with nothing changed.

The unchanged build is the floor: what the docker command and the engine cost by themselves. A
rebuild should take at most twice as long. If it runs a step again, the longest such step is shown
with its own time: for a wheel, that is what building and installing the wheel costs. Run as part
of `make bench`.
"""

from __future__ import annotations

import argparse
import re
import secrets
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from workshop.core.errors import UserError
from workshop.core.paths import ROOT
from workshop.core.progress import ProgressDisplay
from workshop.engine import Engine
from workshop.stack.images import IMAGES

if TYPE_CHECKING:
    from workshop.stack.images import Image

BAR = 2.0
# BuildKit's plain progress: "#13 [wheel 3/3] RUN ..." and later "#13 DONE 0.5s".
STEP = re.compile(r"^#(\d+) \[([^]]+)] (RUN.*)$", re.MULTILINE)
DONE = re.compile(r"^#(\d+) DONE ([\d.]+)s$", re.MULTILINE)


@dataclass
class Measurement:
    """The seconds of the builds of one image, and of the longest step that ran again."""

    image: Image
    edited: list[float] = field(default_factory=list)
    unchanged: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    step: str = ""

    def add_step(self, output: str) -> None:
        """Keep the time and the stage of the longest RUN that was not cached."""
        seconds = {number: float(time) for number, time in DONE.findall(output)}
        ran = [(seconds.get(number, 0), stage) for number, stage, _ in STEP.findall(output)]
        if longest := max(ran, default=(0.0, "")):
            self.steps.append(longest[0])
            self.step = longest[1] if longest[0] else ""


def measure(engine: Engine, image: Image, folder: Path, rounds: int) -> Measurement:
    """Build an image in a copy of its folder: edited and unchanged by turns."""
    name = f"workshop-benchmark-{secrets.token_hex(4)}"
    context = folder / image.folder
    ignored = shutil.ignore_patterns(".venv", "__pycache__", ".*_cache", ".env")
    shutil.copytree(ROOT / image.folder, context, ignore=ignored, dirs_exist_ok=True)
    source = context / image.source
    text = source.read_text(encoding="utf-8")
    found = Measurement(image)

    def build() -> tuple[float, str]:
        start = time.perf_counter()
        output = engine.build(replace(image.build(folder), image=name)).output
        return time.perf_counter() - start, output

    try:
        build()
        for _ in range(rounds):
            source.write_text(f"{text}# {secrets.token_hex(8)}\n", encoding="utf-8")
            seconds, output = build()
            found.edited.append(seconds)
            found.add_step(output)
            found.unchanged.append(build()[0])
    finally:
        engine.remove_images(name)
    return found


def table(measured: list[Measurement]) -> Table:
    """Medians in seconds."""
    sheet = Table(box=None, pad_edge=False, header_style="bold")
    sheet.add_column("image", no_wrap=True)
    for header in ("edited s", "unchanged s", "ratio", f"at most {BAR}", "longest step s"):
        sheet.add_column(header, justify="right", no_wrap=True)
    for one in measured:
        edited, unchanged = statistics.median(one.edited), statistics.median(one.unchanged)
        ratio = edited / unchanged
        step = f"{one.step} {statistics.median(one.steps):.2f}" if one.step else ""
        kept = "kept" if ratio <= BAR else "MISSED"
        sheet.add_row(
            one.image.name, f"{edited:.2f}", f"{unchanged:.2f}", f"{ratio:.2f}", kept, step
        )
    return sheet


def main() -> int:
    """Measure every image that has a source file, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="builds per image (default: 7)")
    rounds = parser.parse_args().rounds
    console, engine = Console(), Engine()
    try:
        engine.require("make bench")
        with tempfile.TemporaryDirectory() as folder, ProgressDisplay(console) as display:
            measured = []
            for image in (image for image in IMAGES if image.source):
                with display.job(image.name, "building"):
                    measured.append(measure(engine, image, Path(folder), rounds))
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    console.print(table(measured), highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
