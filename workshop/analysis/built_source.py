"""What was built, beside what it was built from: for what neither can tell alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source


@dataclass(frozen=True)
class BuiltSource:
    """An image, and the learner's folder that it comes from."""

    source: Source
    image: Image
