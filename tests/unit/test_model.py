"""The score of a verdict."""

from __future__ import annotations

import pytest
from unit.verdicts import TASK, fake_check

from workshop.model import Outcome, Result, Verdict

# Two points each; the first two are met by the answer to the task before.
CHECKS = tuple(fake_check(number) for number in range(1, 6))
REPEATED = TASK._replace(checks=CHECKS, already_met=("check-1", "check-2"))


def score(passed: set[int]) -> int:
    outcomes = {True: Outcome.PASSED, False: Outcome.FAILED}
    results = tuple(
        Result(check, outcomes[number in passed]) for number, check in enumerate(CHECKS, start=1)
    )
    return Verdict(REPEATED, results).score


@pytest.mark.parametrize(
    ("passed", "points"),
    [
        (set(), 0),
        ({1, 2}, 0),
        ({1, 2, 3}, 2 + 1),
        ({1, 2, 3, 4}, 4 + 2),
        ({3, 4, 5}, 6),
        ({1, 3, 4, 5}, 6 + 2),
        ({1, 2, 3, 4, 5}, 10),
    ],
)
def test_points_for_old_requirements_count_in_proportion_to_the_new_ones(passed, points):
    assert score(passed) == points
