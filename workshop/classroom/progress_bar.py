"""A progress bar of bytes, in the line of a job."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from workshop.core.sizes import format_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.core.progress import Job

_COLUMNS = 20


def show_bytes(job: Job, total: int) -> Callable[[int], None]:
    """Return a function that gets numbers of bytes, and shows their sum of `total`."""
    lock, done = threading.Lock(), 0

    def show(count: int) -> None:
        nonlocal done
        with lock:
            done += count
            full = _COLUMNS * done // total if total else _COLUMNS
            bar = "#" * full + "." * (_COLUMNS - full)
            job.line(f"{bar} {format_bytes(done)} of {format_bytes(total)}")

    return show
