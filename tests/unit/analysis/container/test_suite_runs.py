"""The output of pytest, and the results that it shows."""

from __future__ import annotations

import pytest

from workshop.analysis.container.suite_runs import read_runs


@pytest.mark.parametrize(
    ("line", "green", "seconds"),
    [
        ("==================== 25 passed in 3.43s ====================", True, 3.43),
        ("25 passed in 0.12s", True, 0.12),
        ("=== 173 passed, 1 skipped, 2 warnings in 75.70s (0:01:15) ===", True, 75.7),
        ("=== 1 failed, 24 passed in 1.30s ===", False, 1.3),
        ("=== 10 passed, 1 skipped, 53 errors in 9.05s ===", False, 9.05),
        ("1 error in 0.30s", False, 0.3),
        ("ImportError while loading conftest '/app/tests/conftest.py'.", False, 0.0),
        ("ERROR: file or directory not found: tets", False, 0.0),
    ],
)
def test_a_summary_line_has_the_result_of_a_run(line, green, seconds):
    (run,) = read_runs(["collected 25 items", line, "GREEN: waiting for a change"])
    assert (run.green, run.seconds) == (green, seconds)


@pytest.mark.parametrize(
    "line",
    ["25 passed", "I passed in 3 s", "test_25 passed in 3s", "collected 5 items", "", "in 3.4s"],
)
def test_other_lines_are_not_a_summary(line):
    assert read_runs([line]) == []
