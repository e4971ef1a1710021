from __future__ import annotations

import json

from unit.verdicts import FAILED, GRADED, VERDICT

from workshop.reports import json as report


def test_other_programs_can_rely_on_these_fields():
    said = json.loads(report.write(GRADED))
    assert said["schema"] == "workshop/verdict/v1"
    assert (said["task"], said["outcome"]) == ("task-0", "failed")
    assert (said["score"], said["max_score"]) == (2, 8)
    assert said["standin_bases"] is False
    assert said["checks"][1] == {
        "id": "check-2",
        "title": FAILED.check.title,
        "stage": "app",
        "outcome": "failed",
        "points": 0,
        "max_points": 2,
        "actual": FAILED.actual,
        "expected": "a server",
        "why": "It matters.",
        "hint": "Try that.",
        "lesson": "some/lesson",
        "file": "Dockerfile",
        "line": 3,
    }


def test_the_points_of_the_checks_are_the_score():
    said = report.document(GRADED)
    assert sum(check["points"] for check in said["checks"]) == said["score"]


def test_advice_is_apart_from_the_checks():
    said = report.document(VERDICT)
    assert said["lint"] == [{"line": 4, "code": "DL3000", "text": "Use absolute WORKDIR"}]
    assert said["outcome"] == "ungradable"
