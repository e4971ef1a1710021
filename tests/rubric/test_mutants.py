"""The results of `make mutants` are complete, up to date, and show no gap in the grading."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace

from rubric.examples import TASKS
from rubric.mutants import mutants
from rubric.mutation import digest
from rubric.review import PAGE, REVIEW, judged, page, results

MUTANTS = [mutant for task in TASKS for mutant in mutants(task)]
JUDGED = judged()
MIN_MUTANTS = 300


def test_every_mutant_of_the_current_solutions_was_graded():
    """If this fails: make mutants."""
    recorded = results()
    stale = [m.name for m in MUTANTS if recorded.get(m.name, {}).get("digest") != digest(m)]
    assert stale == []
    assert len(MUTANTS) == len(recorded) >= MIN_MUTANTS


def test_no_mutant_survives():
    assert [item.mutant.name for item in JUDGED if item.fate == "survived"] == []


def test_every_killed_mutant_fails_an_intended_check():
    for item in JUDGED:
        if item.failed:
            assert item.intended & {*item.failed}, (item.mutant.name, item.failed)


def test_every_pattern_of_the_review_matches_a_mutant():
    review = tomllib.loads(REVIEW.read_text(encoding="utf-8"))
    for row in (*review["equivalent"], *review["intended"]):
        assert any(re.search(row["mutants"], mutant.name) for mutant in MUTANTS), row["mutants"]


def test_the_page_matches_the_results():
    """If this fails: PYTHONPATH=tests python -m rubric.review."""
    assert PAGE.read_text(encoding="utf-8") == page(JUDGED)


def test_comments_do_not_change_a_digest():
    mutant = next(m for m in MUTANTS if m.task.name == "task-5")
    commented = mutant.text.replace("\nUSER", "\n\n  # Drop root.\nUSER")
    assert commented != mutant.text
    assert digest(replace(mutant, text=commented)) == digest(mutant)
