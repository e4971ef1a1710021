"""An image together with its source, for checks that compare the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source


@dataclass(frozen=True)
class BuiltSource:
    """An image, and the submission that it was built from."""

    source: Source
    image: Image
