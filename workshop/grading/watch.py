"""Checks again whenever a file of a learner's folder is saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core.paths import is_local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watchfiles import Change


def saves(folder: Path) -> Iterator[None]:
    """Once now, and again after each change of a file in `folder`; ends at Ctrl-C."""
    from watchfiles import watch  # noqa: PLC0415 - only who watches waits for it

    def matters(_change: Change, path: str) -> bool:
        inside = Path(path).relative_to(folder.resolve()).parts
        return not any(is_local(part) for part in inside)

    yield
    for _ in watch(folder.resolve(), watch_filter=matters, raise_interrupt=False):
        yield
