"""What a second build reuses once one line of the source has changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workshop.facts.image import Image


@dataclass(frozen=True)
class Rebuild:
    """The `image`, and the digests of its layers after a line of `edited` has changed.

    `project` is the distribution that the source is, which of course is another one then.
    """

    image: Image
    edited: str
    project: str
    diff_ids: tuple[str, ...]

    def reuses(self, layer: int) -> bool:
        """Whether the layer of this index is the same as before."""
        before = self.image.diff_ids
        return layer < len(self.diff_ids) and before[layer] == self.diff_ids[layer]
