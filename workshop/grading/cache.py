"""What one check may know from the ones before it: facts that cannot have changed since."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workshop.analysis.image.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.analysis.image.image import Image
    from workshop.analysis.image.layers import Layer


class Cache:
    """Facts kept below `folder`. Where nothing can be written, nothing is known.

    `runs` is the folder for the ledgers of checks under way.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = Store(folder / "searched")
        self.runs = folder / "runs"

    @cached_property
    def canary(self) -> str:
        """A secret that no image may hold; always the same here, so that builds are reused."""
        file = self._folder / "canary"
        with contextlib.suppress(OSError, ValueError):
            return _sound(file.read_text(encoding="ascii"))
        fresh = f"canary-{secrets.token_hex(16)}"
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(fresh, encoding="ascii")
        return fresh

    def image(self, image_id: str) -> Image | None:
        """An image that was searched for the canary, and did not hold it."""
        return self._store.image(self._searched(image_id))

    def layer(self, diff_id: str) -> Layer | None:
        """A layer of an image that was searched for the canary, and did not hold it."""
        return self._store.layer(diff_id)

    def keep(self, image_id: str, image: Image) -> None:
        """Keep an image that was searched for the canary; not where it was found."""
        if not image.found:
            self._store.keep(image, self._searched(image_id))

    def get_value(self, *key: str) -> Any:  # noqa: ANN401 - what was remembered
        """What was remembered under these words; None where nothing was."""
        with contextlib.suppress(OSError, ValueError):
            return json.loads(self._note(key).read_text(encoding="utf-8"))
        return None

    def put_value(self, value: Any, *key: str) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Remember a value under these words, which say all that it depends on."""
        note = self._note(key)
        with contextlib.suppress(OSError):
            note.parent.mkdir(parents=True, exist_ok=True)
            draft = note.with_suffix(f".{secrets.token_hex(4)}")
            draft.write_text(json.dumps(value), encoding="utf-8")
            draft.replace(note)

    def _searched(self, image_id: str) -> str:
        return f"{image_id} without {self.canary}"

    def _note(self, key: tuple[str, ...]) -> Path:
        return self._folder / "notes" / hashlib.sha256("\0".join(key).encode()).hexdigest()


def _sound(canary: str) -> str:
    if not canary.startswith("canary-") or len(canary) < len("canary-") + 32:
        raise ValueError(canary)
    return canary
