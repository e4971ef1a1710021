"""What `make mutants` has written down is whole, is of today's answers, and leaves no hole."""

from __future__ import annotations

import re
import tomllib

from rubric.examples import TASKS
from rubric.mutants import mutants
from rubric.mutation import digest
from rubric.review import PAGE, REVIEW, judged, page, results

FOUND = judged()
ENOUGH = 300


def test_every_mutant_of_todays_answers_was_judged():
    """If this fails: make mutants."""
    stale = [e.mutant.name for e in FOUND if results()[e.mutant.name]["digest"] != digest(e.mutant)]
    assert stale == []
    assert len(FOUND) == sum(1 for task in TASKS for _ in mutants(task)) >= ENOUGH


def test_no_mutant_survives():
    assert [each.mutant.name for each in FOUND if each.fate == "survived"] == []


def test_a_mutant_is_told_by_a_check_that_was_meant_to():
    for each in FOUND:
        if each.failed:
            assert each.intended & {*each.failed}, (each.mutant.name, each.failed)


def test_every_line_of_the_review_is_of_use():
    said = tomllib.loads(REVIEW.read_text(encoding="utf-8"))
    names = [mutant.name for task in TASKS for mutant in mutants(task)]
    for row in (*said["equivalent"], *said["intended"]):
        assert any(re.search(row["mutants"], name) for name in names), row["mutants"]


def test_the_page_is_what_was_written_down():
    """If this fails: PYTHONPATH=tests python -m rubric.review."""
    assert PAGE.read_text(encoding="utf-8") == page(FOUND)
