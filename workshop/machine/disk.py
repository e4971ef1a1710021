"""Checks the free disk space for images."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core.errors import UserError

if TYPE_CHECKING:
    from workshop.engine import Info

GB = 10**9
# For the first `make up`: images, and build caches.
FIRST_TIME = 5 * GB
# For another one, with the base images present and most layers cached.
AGAIN = 1 * GB


def check(info: Info, needed: int) -> None:
    """Raise a `UserError` if fewer than `needed` bytes are free."""
    folder = Path(info.root)
    if not folder.is_dir():  # the engine runs elsewhere, such as in a virtual machine
        return
    free = shutil.disk_usage(folder).free
    if free < needed:
        found = f"{free / GB:.1f} GB free, {needed / GB:.0f} GB are needed"
        fix = "Free some (docker system prune removes what no container uses), then run it again"
        raise UserError(f"disk under {folder}", found, fix)
