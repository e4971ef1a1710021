"""`prairielearn/LEARNER/results.json`: what an external grader of PrairieLearn leaves behind."""

# Source: https://prairielearn.readthedocs.io/en/latest/externalGrading/, "Grading results"

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workshop.cohort.exports.files import format_json, write_for_learners
from workshop.cohort.exports.text import checks, explain, is_graded, one_line, summarise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from workshop.cohort.row import Row


def write(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write one file for each learner."""
    home = folder / "prairielearn"
    return write_for_learners(rows, home, "*/results.json", lambda own: format_json(results(own)))


def results(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the results of one learner; `score` is a share from 0.0 to 1.0.

    If anything could not be graded, there is no score: PrairieLearn then takes no attempt away.
    """
    message = "\n".join(line for row in rows for line in summarise(row))
    tests = [test for row in rows for test in _tests(row)]
    if not all(map(is_graded, rows)):
        return {"gradable": False, "message": message, "tests": tests}
    most = sum(row.max_score for row in rows)
    share = sum(row.points for row in rows) / most if most else 0.0
    score = min(max(round(share, 4), 0.0), 1.0)
    return {"gradable": True, "score": score, "message": message, "tests": tests}


def _tests(row: Row) -> Iterator[dict[str, Any]]:
    for check in checks(row):
        is_passed = check.get("outcome") == "passed"
        yield {
            "name": f"{one_line(row.task)}: {one_line(check.get('title') or check.get('id'))}",
            "description": one_line(check.get("id")),
            "points": check.get("points", 0),
            "max_points": check.get("max_points", 0),
            "message": str(check.get("outcome")),
            "output": "" if is_passed else explain(check),
        }
