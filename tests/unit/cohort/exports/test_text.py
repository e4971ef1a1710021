from __future__ import annotations

import pytest
from unit.cohort import classes

from workshop.cohort.exports import text

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1", " \n=1+1", "\uff1d1", "\x1b[1m=1")


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_cell_is_no_formula(formula):
    assert text.csv_cell(formula).startswith("'")


@pytest.mark.parametrize("words", ["anna", "10-3", "a=b", "", "it's"])
def test_an_ordinary_cell_stays_as_it_is(words):
    assert text.csv_cell(words) == words


@pytest.mark.parametrize(
    ("points", "shown"), [(0, "0"), (20, "20"), (20.5, "20.5"), (1 / 3, "0.33"), (100.0, "100")]
)
def test_points_have_at_most_two_decimals(points, shown):
    assert text.number(points) == shown


def test_a_long_text_is_shortened_and_says_so():
    lines = text.some_lines(classes.HOSTILE_LOG)
    assert len(lines) <= text.MOST_LINES + 1
    assert max(map(len, lines)) <= 503
    assert lines[-1] == "... (shortened)"
    assert text.some_lines("one\ntwo") == ["one", "two"]


@pytest.mark.parametrize(
    ("plain", "escaped"),
    [
        ("# heading", r"\# heading"),
        ("[link](javascript:x)", r"\[link\](javascript:x)"),
        ("<b>", r"\<b\>"),
        ("- item", r"\- item"),
        ("12. item", r"12\. item"),
        ("`code`", r"\`code\`"),
        ("https://a.test", r"https\://a.test"),
        ("www.a.test", r"www\.a.test"),
        ("version 3.11 - done", "version 3.11 - done"),
    ],
)
def test_markdown_shows_the_text_as_it_is(plain, escaped):
    assert text.markdown(plain) == escaped


def test_no_text_ends_its_block():
    block = text.markdown_block("a\n```\n````\nb").splitlines()
    assert block == ["`````text", "a", "```", "````", "b", "`````"]


def test_the_reason_why_there_are_no_marks():
    assert text.describe_marks(classes.ungradable()) == "not graded: the engine stopped"
    row = classes.ungradable(document={"checks": [classes.check(1, "error", actual="no disk")]})
    assert text.describe_marks(row) == "not graded: no disk"


def test_marks_given_by_hand_count():
    row = classes.ungradable(override=1.5)
    assert text.describe_marks(row) == "1.5 of 4 points (38 %), ungradable, marked by hand"
