from __future__ import annotations

import json

from unit.verdicts import FAILED, GRADED, VERDICT

from workshop.reports import json as report


def test_the_fields_of_the_schema():
    document = json.loads(report.format_verdict(GRADED))
    assert document["schema"] == "workshop/verdict/v1"
    assert (document["task"], document["outcome"]) == ("task-0", "failed")
    assert (document["score"], document["max_score"]) == (2, 8)
    assert document["standin_bases"] is False
    assert document["checks"][1] == {
        "id": "check-2",
        "title": FAILED.check.title,
        "stage": "app",
        "outcome": "failed",
        "points": 0,
        "max_points": 2,
        "actual": FAILED.actual,
        "expected": "a server",
        "cause": "",
        "why": "It matters.",
        "hint": "Try that.",
        "lesson": "some/lesson",
        "file": "Dockerfile",
        "line": 3,
        "already_met": False,
    }


def test_the_score_is_the_sum_of_the_points():
    document = report.document(GRADED)
    assert sum(check["points"] for check in document["checks"]) == document["score"]


def test_lint_warnings_are_separate_from_the_checks():
    document = report.document(VERDICT)
    assert document["lint"] == [{"line": 4, "code": "DL3000", "text": "Use absolute WORKDIR"}]
    assert document["outcome"] == "ungradable"
