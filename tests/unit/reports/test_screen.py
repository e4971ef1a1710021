"""The screen of `check --watch` has what failed and what changed, and fits the terminal."""

from __future__ import annotations

import pytest
from unit.verdicts import CHECKS, FAILED, GRADED, PASSED, TASK, VERDICT

from workshop.model import NOT_CHECKED, Outcome, Result, Verdict
from workshop.reports import screen

FIRST, SECOND = (f"Requirement {number} word" for number in (1, 2))


def text(verdict: Verdict, before: Verdict | None = None, columns: int = 80, rows: int = 50) -> str:
    return "\n".join(line for line, _ in screen.format_lines(verdict, before, columns, rows))


def test_only_failures_are_shown_in_detail():
    shown = text(GRADED)
    for line in (
        "FAILED   0/2 Requirement 2",
        "actual    it ended with code 1:",
        "where     Dockerfile, line 3",
        "hint      Try that.",
        "1 check passed.",
        "2 of 8 points: 1 failed.",
    ):
        assert line in shown
    for absent in ("why", "lesson", "Requirement 1", "Requirement 3", "First:"):
        assert absent not in shown


def test_an_error_is_shown_and_warnings_are_counted():
    shown = text(VERDICT)
    assert "ERROR    0/2 Requirement 4" in shown
    assert "the engine stopped" in shown
    assert "1 hadolint warning (no points)" in shown


def test_checks_that_were_not_run_are_counted():
    skipped = Result(CHECKS[3], Outcome.SKIPPED, f"{NOT_CHECKED}The image builds")
    shown = text(GRADED._replace(results=(FAILED, skipped, skipped)))
    assert "2 checks were not run, because this failed: The image builds" in shown


@pytest.mark.parametrize("columns", [40, 80])
def test_no_line_is_wider_than_the_terminal(columns: int):
    shown = text(VERDICT, PASSED, columns).splitlines()
    assert max(map(len, shown)) <= columns


def test_the_changes_since_the_last_run_are_named():
    assert f"Fixed: {SECOND}" in text(PASSED, GRADED)
    assert f"New: {SECOND}" in text(GRADED, PASSED)
    for same in (GRADED, None):
        assert "Fixed" not in text(GRADED, same)
        assert "New" not in text(GRADED, same)


def test_a_check_that_was_not_run_is_not_fixed():
    skipped = Result(CHECKS[1], Outcome.SKIPPED, f"{NOT_CHECKED}The image builds")
    assert "Fixed" not in text(Verdict(TASK, (skipped,)), GRADED)


def test_a_check_whose_text_no_longer_fails_is_fixed():
    skipped = Result(CHECKS[1], Outcome.SKIPPED, "needs a build and a run")
    assert "Fixed" in text(Verdict(TASK, (skipped,), static=True), GRADED)


def test_failures_that_do_not_fit_are_one_line_each():
    failures = tuple(FAILED._replace(check=check) for check in CHECKS)
    verdict = Verdict(TASK, failures)
    assert text(verdict, rows=60).count("hint ") == 4
    shown = text(verdict, rows=40)
    assert len(shown.splitlines()) <= 40
    assert shown.count("FAILED") == 4
    assert 1 <= shown.count("hint ") < 4
    assert text(verdict, rows=5).count("hint ") == 1
