from __future__ import annotations

import pytest

from workshop.core.sanitise import LONGEST_LINE, plain


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain words", "plain words"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("10 %\r20 %\r30 %\r\n", "30 %"),
        ("a\tb", "a       b"),
        ("nul\x00bell\x07back\x08", "nulbellback"),
        ("right\u202eto left", "rightto left"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("line\u2028separator", "lineseparator"),
        ("none\ufffe of\uffff them", "none of them"),
        ("caf\u00e9 \u4f60\u597d \U0001f433", "caf\u00e9 \u4f60\u597d \U0001f433"),
    ],
)
def test_a_safe_line_cannot_change_the_screen(line: str, shown: str):
    assert plain(line) == shown


def test_a_long_line_is_shortened():
    assert len(plain("x" * 1_000_000)) == LONGEST_LINE + 3
