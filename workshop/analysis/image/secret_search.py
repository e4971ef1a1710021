"""The search for secrets: where in an image some bytes stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True)
class Found:
    """A needle, and where it stands.

    `where` is "config", "history" or the number of a layer; `path` is the place there: that of
    the value (as `config.Env.2`), the number of the step, or the file whose content, name or
    link has it.
    """

    needle: bytes
    where: str | int
    path: str


def find_secrets(pieces: Iterable[bytes], canaries: Sequence[bytes]) -> set[bytes]:
    """Which of the `needles` stand in the `pieces` put together, also across their borders."""
    found: set[bytes] = set()
    overlap = max(map(len, canaries), default=0) - 1
    tail = b""
    for piece in pieces:
        text = tail + piece if tail else piece
        found |= {needle for needle in canaries if needle in text}
        tail = text[-overlap:] if overlap > 0 else b""
    return found


def strings_in(value: object, path: str = "") -> Iterator[tuple[str, bytes]]:
    """Every string and key of a JSON document, each with the dotted path to it."""
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
