"""What the checks of every target of the Dockerfile share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workshop.analysis.source import Source

LESSON = "todo-app"


def has_target(source: Source) -> None:
    """Raise `Failed` where the Dockerfile has no stage of the target's name."""
    source.final()
