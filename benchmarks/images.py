"""The kit's images under names that only a benchmark uses, so that no other one changes."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from workshop.core.paths import ROOT
from workshop.stack.images import IMAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.rounds import Rounds
    from workshop.engine import Engine
    from workshop.stack.images import Image


def label(image: Image) -> str:
    """Return the name of an image's service, with its stage if the service has several images."""
    return f"{image.service} {image.target}".strip()


def new_name() -> str:
    """Return a name for an image or a container that nothing else has."""
    return f"workshop-benchmark-{secrets.token_hex(4)}"


@contextmanager
def built(engine: Engine, names: Sequence[str], rounds: Rounds) -> Iterator[dict[str, str]]:
    """Build images of the kit; yield their names in this benchmark, and remove these at the end."""
    found = {name: new_name() for name in names}
    try:
        for image in (image for image in IMAGES if image.name in found):
            rounds.step(f"building {image.name}")
            engine.build(replace(image.build(ROOT), image=found[image.name]))
        yield found
    finally:
        engine.remove_images(*found.values())
