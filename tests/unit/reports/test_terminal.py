from __future__ import annotations

from io import StringIO

import pytest
from unit.verdicts import FAILED, GRADED, PASSED, TASK, VERDICT

from workshop.model import Verdict
from workshop.reports import terminal


def text(verdict, columns: int = 80) -> str:
    return "\n".join(line for line, _ in terminal.lines(verdict, columns))


@pytest.mark.parametrize("columns", [40, 60, 80, 100])
def test_no_line_is_wider_than_the_screen(columns: int):
    assert max(len(line) for line in text(VERDICT, columns).splitlines()) <= columns


def test_each_outcome_can_be_told_without_colour():
    shown = text(VERDICT)
    for word in ("passed   2/2", "FAILED   0/2", "skipped  0/2", "ERROR    0/2"):
        assert word in shown


def test_a_failure_says_all_that_helps():
    shown = text(GRADED)
    for words in (
        "actual    it ended with code 1:",
        "expected  a server",
        "where     Dockerfile, line 3",
        "why       It matters.",
        "hint      Try that.",
        "lesson    some/lesson",
    ):
        assert words in shown


def test_a_programs_own_lines_stay_lines():
    assert "| Traceback" in text(GRADED)


def test_advice_is_marked_as_such():
    assert "hadolint warnings, which cost no points:" in text(VERDICT)
    assert "line 4: Use absolute WORKDIR (DL3000)" in text(VERDICT)
    assert "hadolint" not in text(GRADED)


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (PASSED, "8 of 8 points: everything passed."),
        (GRADED, "2 of 8 points: 1 failed."),
        (VERDICT, "Not graded: the kit could not look at everything"),
        (GRADED._replace(note="no engine"), "Not graded: no engine"),
        (GRADED._replace(static=True), "1 found wrong by the text; 1 can only be told by building"),
        (Verdict(TASK, (), static=True), "The text shows nothing wrong"),
    ],
)
def test_the_last_line_sums_it_up(verdict, words: str):
    assert terminal.summary(verdict).startswith(words)
    assert words[:30] in text(verdict)


def test_what_is_no_terminal_gets_plain_lines():
    paper = StringIO()
    terminal.show(GRADED, paper)
    assert "\x1b" not in paper.getvalue()
    assert FAILED.expected in paper.getvalue()


class Screen(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_the_same_words_in_colour(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = Screen()
    terminal.show(PASSED, screen)
    assert "\x1b[32m" in screen.getvalue()
    assert "everything passed" in screen.getvalue()


def test_a_terminal_without_colour_gets_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Screen()
    terminal.show(PASSED, screen)
    assert "\x1b[32m" not in screen.getvalue()
