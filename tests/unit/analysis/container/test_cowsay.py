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
COWTHINK = " ____\n( hm )\n ----\n  o\n"


@pytest.mark.parametrize(
    ("output", "words"),
    [(DEBIAN, "You will be happy."), (PYTHON, "somenergia.coop"), (COWTHINK, "hm")],
)
def test_reads_each_kind_of_bubble(output, words):
    assert read_bubble(f"noise\n{output}").words == words


def test_the_animal_is_below_the_bubble():
    assert read_bubble(DEBIAN).animal == r"        \   ^__^"


@pytest.mark.parametrize("output", ["", "somenergia.coop", " ____\n< hm >", "---\n___\n"])
def test_output_without_a_bubble_is_none(output):
    assert read_bubble(output) is None


def test_an_empty_bubble_has_no_words():
    assert read_bubble(" __\n<  >\n --\n  cow").words == ""
