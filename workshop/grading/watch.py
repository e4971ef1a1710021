"""Watches a learner's folder and reports each saved file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core.errors import Interrupted, UserError
from workshop.core.paths import is_local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watchfiles import Change

POLL_MILLISECONDS = 100


def polls(folder: Path) -> Iterator[bool]:
    """Yield several times a second whether a file in `folder` has changed since the last time.

    A change between two polls is never lost. Raises `UserError` if the folder cannot be watched,
    and `Interrupted` on a signal.
    """
    from watchfiles import watch  # noqa: PLC0415 - only --watch needs it

    real = folder.resolve()

    def matters(_change: Change, path: str) -> bool:
        return not any(is_local(part) for part in Path(path).relative_to(real).parts)

    try:
        for changes in watch(
            real, watch_filter=matters, yield_on_timeout=True, rust_timeout=POLL_MILLISECONDS
        ):
            yield bool(changes)
    except KeyboardInterrupt:
        # watchfiles raises this in place of any exception of a signal handler.
        raise Interrupted from None
    except OSError as error:
        fix = "Run workshop check without --watch"
        raise UserError(str(folder), f"it cannot be watched: {error}", fix) from None
