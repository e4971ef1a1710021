"""Room for images, where the engine keeps them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core.errors import UserError

if TYPE_CHECKING:
    from workshop.engine import Info

GB = 10**9
# What the first `make up` takes: about 2.5 GB of images, and build caches.
FIRST_TIME = 5 * GB
# What one more takes, with the base images there and most layers in the cache.
AGAIN = 1 * GB


def check(info: Info, needed: int) -> None:
    """Refuse to begin what the disk cannot hold; `needed` is in bytes."""
    folder = Path(info.root)
    if not folder.is_dir():  # the engine lives elsewhere: in a virtual machine, say
        return
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"disk under {folder}",
            f"{free / GB:.1f} GB free, {needed / GB:.0f} GB are needed",
            "Free some (docker system prune removes what no container uses), then run this again",
        )
