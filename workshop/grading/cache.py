"""Facts that one check can reuse from earlier checks, because they cannot have changed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workshop.analysis.image.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.analysis.image.image import Image
    from workshop.analysis.image.layers import Layer

_CANARY = re.compile(r"canary-.{32,}", re.DOTALL)


class Cache:
    """Facts cached in `folder`. Without write access, nothing is cached.

    `runs` is the folder for the resource records of running checks.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = Store(folder / "searched")
        self.runs = folder / "runs"

    @cached_property
    def canary(self) -> str:
        """A secret that no image may contain; constant per folder, so that builds are cached."""
        file = self._folder / "canary"
        with contextlib.suppress(OSError, ValueError):
            if _CANARY.fullmatch(text := file.read_text(encoding="ascii")):
                return text
        fresh = f"canary-{secrets.token_hex(16)}"
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(fresh, encoding="ascii")
        return fresh

    def image(self, image_id: str) -> Image | None:
        """Return an image that was searched for the canary and does not contain it."""
        return self._store.image(self._image_key(image_id))

    def layer(self, diff_id: str) -> Layer | None:
        """Return a layer of an image that was searched for the canary and does not contain it."""
        return self._store.layer(diff_id)

    def save_image(self, image_id: str, image: Image) -> None:
        """Cache an image that was searched for the canary, unless it contains the canary."""
        if not image.found:
            self._store.save(image, self._image_key(image_id))

    def get_value(self, *key: str) -> Any:  # noqa: ANN401 - any cached value
        """Return the value cached under a key; None if there is none."""
        with contextlib.suppress(OSError, ValueError):
            return json.loads(self._value_file(key).read_text(encoding="utf-8"))
        return None

    def put_value(self, value: Any, *key: str) -> None:  # noqa: ANN401 - any JSON value
        """Cache a JSON value; the key names everything that the value depends on."""
        file = self._value_file(key)
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            draft = file.with_suffix(f".{secrets.token_hex(4)}")
            draft.write_text(json.dumps(value), encoding="utf-8")
            draft.replace(file)

    def _image_key(self, image_id: str) -> str:
        return f"{image_id} without {self.canary}"

    def _value_file(self, key: tuple[str, ...]) -> Path:
        return self._folder / "values" / hashlib.sha256("\0".join(key).encode()).hexdigest()
