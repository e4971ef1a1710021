"""Watches a learner's folder and reports each saved file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core.paths import is_local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watchfiles import Change

POLL_MILLISECONDS = 100


def saves(folder: Path) -> Iterator[None]:
    """Yield once at the start, and again after each change of a file in `folder`, until Ctrl-C."""
    from watchfiles import watch  # noqa: PLC0415 - only --watch needs it

    def matters(_change: Change, path: str) -> bool:
        inside = Path(path).relative_to(folder.resolve()).parts
        return not any(is_local(part) for part in inside)

    # The first yield comes after the watch has begun, so that no save is lost during a check.
    first = True
    for changes in watch(
        folder.resolve(),
        watch_filter=matters,
        raise_interrupt=False,
        yield_on_timeout=True,
        rust_timeout=POLL_MILLISECONDS,
    ):
        if first or changes:
            first = False
            yield
