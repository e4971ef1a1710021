"""Compare `workshop image` with the least work that it has to do: `docker save`, read to its end.

Every run has an empty cache, so that it reads every layer.
"""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from typing import TYPE_CHECKING

from benchmarks import command
from benchmarks.images import built, label
from benchmarks.kit import run_kit
from benchmarks.rounds import Case, run_program
from workshop.engine import Engine
from workshop.stack.images import IMAGES

if TYPE_CHECKING:
    from benchmarks.rounds import Rounds

# The largest image of the course, one of a middle size, and the smallest one.
NAMES = ("base-image-fastapi-ubuntu-fat:test", "nonroot-image-fastapi:dev", "degrees_api:1.0")
MB = 10**6


def save(image: str) -> dict[str, float]:
    """Return the seconds of `docker save`, whose output is read and thrown away."""
    argv = ("sh", "-c", 'docker save "$1" | cat >/dev/null', "sh", image)
    return {"read": run_program(argv)[0]}


def show(image: str) -> dict[str, float]:
    """Return the seconds of `workshop image` with an empty cache, and its peak memory in MB."""
    with tempfile.TemporaryDirectory() as cache:
        done = run_kit("image", image, env={**os.environ, "XDG_CACHE_HOME": cache})
    return {"read": done.seconds, "memory": done.memory / MB}


def measure(rounds: Rounds) -> None:
    """Read each image in turn with both."""
    engine = Engine()
    engine.require("benchmark lens")
    with built(engine, NAMES, rounds) as images:
        rounds.compare(
            [
                Case(label(image), side, partial(run, images[image.name]))
                for image in IMAGES
                if image.name in NAMES
                for side, run in (("docker save", save), ("workshop image", show))
            ]
        )


if __name__ == "__main__":
    sys.exit(command.main("lens", measure))
