"""Reads the output of cowsay: a speech bubble, and an animal below it."""

from __future__ import annotations

import re
from typing import NamedTuple

_TOP = re.compile(r"\s*_+\s*")
_BOTTOM = re.compile(r"\s*(?:-+|=+)\s*")


class SpeechBubble(NamedTuple):
    """The `words` in a bubble, with single spaces, and the drawing of the `animal` below it."""

    words: str
    animal: str


def read_bubble(output: str) -> SpeechBubble | None:
    """Return the first speech bubble in a program's output; None if there is none.

    Source: Debian's cowsay 3 (a rule of `-` below the text) and Python's cowsay 6 (one of `=`).
    """
    lines = output.splitlines()
    top = next((n for n, line in enumerate(lines) if _TOP.fullmatch(line)), None)
    if top is None:
        return None
    bottom = next((n for n, line in enumerate(lines) if n > top and _BOTTOM.fullmatch(line)), None)
    if bottom is None:
        return None
    # Each line of the bubble begins and ends with its border: < >, ( ), | |, / \.
    words = " ".join(line.strip()[1:-1] for line in lines[top + 1 : bottom])
    return SpeechBubble(" ".join(words.split()), "\n".join(lines[bottom + 1 :]).strip("\n"))
