"""A row computes the points that count, and their percentage."""

from __future__ import annotations

import pytest

from workshop.cohort.row import Row
from workshop.cohort.submission import Learner


def row(score: int, most: int, override: float | None = None) -> Row:
    return Row(Learner("anna"), "task-5", "failed", score, most, (), "", "", "", {}, override)


@pytest.mark.parametrize(
    ("score", "most", "percent"), [(0, 22, 0), (22, 22, 100), (1, 8, 13), (3, 8, 38), (0, 0, 0)]
)
def test_the_percentage_is_a_whole_number(score, most, percent):
    assert row(score, most).percent == percent


def test_a_manual_mark_replaces_the_score():
    manual = row(22, 22, 5.5)
    assert (manual.points, manual.percent, manual.score) == (5.5, 25, 22)


def test_a_manual_mark_may_be_zero():
    assert row(22, 22, 0).percent == 0
