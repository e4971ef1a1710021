"""Reads the JSON documents of an image, which may be hostile: each value must have its type."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from workshop.analysis.image.limits import unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping


def get(document: Mapping[str, Any], key: str, kind: type) -> Any:  # noqa: ANN401 - it is a `kind`
    """Return a value of a document, or an empty `kind` if there is none."""
    value = document.get(key) or kind()
    if not isinstance(value, kind):
        raise unreadable(f"{key} is not a {kind.__name__}")
    return value


def parse_json(data: bytes | None, kind: type, name: str) -> Any:  # noqa: ANN401 - it is a `kind`
    """Parse a document, which must be a `kind`."""
    try:
        found = json.loads(data or b"")
    except (ValueError, RecursionError):
        raise unreadable(f"{name} is missing, or not JSON") from None
    if not isinstance(found, kind):
        raise unreadable(f"{name} is not a {kind.__name__}")
    return found
