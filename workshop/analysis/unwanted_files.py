"""Files that lie about in many a learner's folder: planted there, and looked for in the image."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from workshop.analysis.image.image import Image


def plant(context: Path, paths: Iterable[str]) -> None:
    """Put a file with a text of its own at each path; not where a folder is in the way."""
    for path in paths:
        file = context / path
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            file.write_bytes(_text(path))


def kept(image: Image, paths: Iterable[str]) -> dict[str, int]:
    """Which of them the image holds, wherever that is, and the first layer to do so."""
    digests = {hashlib.sha256(_text(path)).hexdigest(): path for path in paths}
    found: dict[str, int] = {}
    for number in image.own:
        for entry in image.layers[number].entries:
            if entry.digest in digests:
                found.setdefault(digests[entry.digest], number)
    return found


def _text(path: str) -> bytes:
    return f"{path} is of no use in an image\n".encode()
