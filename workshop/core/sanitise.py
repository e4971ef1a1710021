"""What a learner's program printed or wrote, made safe to show."""

from __future__ import annotations

import re
import unicodedata

LONGEST_LINE = 500

# Colours, cursor moves and titles. Source: ECMA-48, sections 5.4 and 8.3.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")

# Characters that change how their neighbours are shown, or are not shown at all: control,
# format (the directions of writing among them), surrogates, private use.
_UNSEEN = {"Cc", "Cf", "Cs", "Co"}


def plain(line: str) -> str:
    """One line without colours, control characters and directions of writing, cut to a length."""
    # What a carriage return overwrites is not what was shown last.
    text = _ESCAPES.sub("", line).rstrip("\r\n").rsplit("\r", 1)[-1].expandtabs(8)
    kept = "".join(
        mark for mark in text[: 4 * LONGEST_LINE] if unicodedata.category(mark) not in _UNSEEN
    )
    return kept if len(kept) <= LONGEST_LINE else kept[:LONGEST_LINE] + "..."


def plain_lines(text: str) -> str:
    """Several lines, each made safe."""
    return "\n".join(plain(line) for line in text.split("\n"))
