"""Searches an image for secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True)
class Found:
    """A secret, and where it was found.

    `where` is "config", "history" or the number of a layer; `path` is the path of the value (as
    `config.Env.2`), the number of the step, or the file whose content, name or link has it.
    """

    secret: bytes
    where: str | int
    path: str


def find_secrets(chunks: Iterable[bytes], canaries: Sequence[bytes]) -> set[bytes]:
    """Return the `canaries` in the concatenated `chunks`."""
    found: set[bytes] = set()
    overlap = max(map(len, canaries), default=0) - 1
    tail = b""
    for chunk in chunks:
        text = tail + chunk if tail else chunk
        found |= {canary for canary in canaries if canary in text}
        tail = text[-overlap:] if overlap > 0 else b""
    return found


def strings_in(value: object, path: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield the dotted path and the text of every string and key of a JSON document."""
    left = [(path, value)]
    while left:
        path, value = left.pop()
        if isinstance(value, str):
            yield path, value.encode(errors="surrogatepass")
        elif isinstance(value, list):
            left += [(f"{path}.{index}".lstrip("."), item) for index, item in enumerate(value)]
        elif isinstance(value, dict):
            for key, item in value.items():
                below = f"{path}.{key}".lstrip(".")
                yield below, key.encode(errors="surrogatepass")
                left.append((below, item))
