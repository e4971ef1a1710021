"""`gradescope/LEARNER/results.json`: what a Gradescope autograder leaves behind."""

# Source: https://gradescope-autograders.readthedocs.io/en/latest/specs/, "Output format"

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workshop.cohort.exports.files import format_json, write_for_learners
from workshop.cohort.exports.text import checks, explain, is_graded, one_line, summarise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from workshop.cohort.row import Row


def write(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write one file for each learner whose tasks could all be graded.

    Gradescope takes a missing file as an error of the autograder, and gives no points. The format
    has no other way to say that.
    """
    return write_for_learners(rows, folder / "gradescope", "*/results.json", _format)


def _format(rows: Sequence[Row]) -> str | None:
    return format_json(results(rows)) if all(map(is_graded, rows)) else None


def results(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the results of one learner: `score` counts, not the sum of the tests."""
    return {
        "score": sum(row.points for row in rows),
        "output": "\n".join(line for row in rows for line in summarise(row)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [test for number, row in enumerate(rows, 1) for test in _tests(row, number)],
    }


def _tests(row: Row, task: int) -> Iterator[dict[str, Any]]:
    for number, check in enumerate(checks(row), 1):
        is_passed = check.get("outcome") == "passed"
        yield {
            "name": f"{one_line(row.task)}: {one_line(check.get('title') or check.get('id'))}",
            "name_format": "text",
            "number": f"{task}.{number}",
            "score": check.get("points", 0),
            "max_score": check.get("max_points", 0),
            "status": "passed" if is_passed else "failed",
            "output": "" if is_passed else explain(check),
            "output_format": "text",
            "tags": [one_line(row.task), one_line(check.get("stage") or "check")],
            "visibility": "visible",
            "extra_data": {"id": one_line(check.get("id")), "outcome": str(check.get("outcome"))},
        }
