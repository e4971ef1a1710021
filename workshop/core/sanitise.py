"""Makes the output of a learner's program safe to show."""

from __future__ import annotations

import re
import unicodedata

LONGEST_LINE = 500

# Colours, cursor moves and titles. Source: ECMA-48, sections 5.4 and 8.3.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")

# Characters that are invisible or change how others are shown: control, format (such as
# the writing direction), surrogates, private use, line and paragraph separators.
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}

# Characters that are none, and that no XML file may contain.
# Source: Extensible Markup Language (XML) 1.0, section 2.2
_NONCHARACTERS = "\ufffe\uffff"


def plain(line: str) -> str:
    """Remove colours, control characters and writing directions from a line, and shorten it."""
    # A carriage return overwrites what was before it.
    text = _ESCAPES.sub("", line).rstrip("\r\n").rsplit("\r", 1)[-1].expandtabs(8)
    kept = text[: 4 * LONGEST_LINE]
    # A printable text has none of these characters; that is much faster to find out.
    if not kept.isprintable():
        kept = "".join(filter(_is_safe, kept))
    return kept if len(kept) <= LONGEST_LINE else kept[:LONGEST_LINE] + "..."


def _is_safe(mark: str) -> bool:
    return unicodedata.category(mark) not in _UNSAFE and mark not in _NONCHARACTERS


def plain_lines(text: str) -> str:
    """Make each line of a text safe."""
    return "\n".join(plain(line) for line in text.split("\n"))
