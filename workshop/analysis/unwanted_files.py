"""Files that no image should contain: planted in the build context, and searched in the image."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from workshop.analysis.image.image import Image

# Secrets of a learner's folder, by their usual names. The build context has the canary in each.
SECRETS = (".env", ".git/config", ".venv/pyvenv.cfg")


def plant(context: Path, paths: Iterable[str]) -> None:
    """Write a file with a unique text to each path, unless the path is a folder."""
    for path in paths:
        file = context / path
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            file.write_bytes(_text(path))


def find(image: Image, paths: Iterable[str]) -> dict[str, int]:
    """Return the planted files that the image contains anywhere, with the first layer of each."""
    import hashlib  # noqa: PLC0415 - a check of the text needs none

    digests = {hashlib.sha256(_text(path)).hexdigest(): path for path in paths}
    found: dict[str, int] = {}
    for number in image.own:
        for entry in image.layers[number].entries:
            if entry.digest in digests:
                found.setdefault(digests[entry.digest], number)
    return found


def _text(path: str) -> bytes:
    return f"{path} is not needed in an image\n".encode()
