"""Short descriptions of the instructions that created an image's layers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image


def instruction(image: Image, layer: int) -> str:
    """Return the instruction that created a layer, shortened."""
    created_by = next((step.created_by for step in image.history if step.layer == layer), "")
    text = re.sub(r"\s+", " ", created_by.removesuffix("# buildkit")).strip()
    return short(re.sub(r"^RUN (?:\|\d+ (?:\S+=\S* )*)?/bin/sh -c ", "RUN ", text))


def short(text: str) -> str:
    """Cut a text to at most 60 characters."""
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004
