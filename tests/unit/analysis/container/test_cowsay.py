from __future__ import annotations

import pytest

from workshop.analysis.container.cowsay import read_bubble

DEBIAN = r"""
 ___________
/ You will  \
\ be happy. /
 -----------
        \   ^__^
"""
PYTHON = r"""
  _______________
| somenergia.coop |
  ===============
               \
                 ^__^
"""
THOUGHT = " ____\n( hm )\n ----\n  o\n"


@pytest.mark.parametrize(
    ("output", "words"),
    [(DEBIAN, "You will be happy."), (PYTHON, "somenergia.coop"), (THOUGHT, "hm")],
)
def test_words_are_heard_from_each_kind_of_bubble(output, words):
    assert read_bubble(f"noise\n{output}").words == words


def test_the_animal_is_what_stands_below():
    assert read_bubble(DEBIAN).animal == r"        \   ^__^"


@pytest.mark.parametrize("output", ["", "somenergia.coop", " ____\n< hm >", "---\n___\n"])
def test_without_a_bubble_nobody_speaks(output):
    assert read_bubble(output) is None


def test_an_empty_bubble_has_no_words():
    assert read_bubble(" __\n<  >\n --\n  cow").words == ""
