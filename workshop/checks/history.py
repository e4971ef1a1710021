"""The instruction behind a layer, in few words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image


def instruction(image: Image, layer: int) -> str:
    """The instruction that made a layer, cut short."""
    said = next((step.created_by for step in image.history if step.layer == layer), "")
    text = re.sub(r"\s+", " ", said.removesuffix("# buildkit")).strip()
    return short(re.sub(r"^RUN (?:\|\d+ (?:\S+=\S* )*)?/bin/sh -c ", "RUN ", text))


def short(text: str) -> str:
    """A text that fits beside others on a line."""
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - the width of a line
