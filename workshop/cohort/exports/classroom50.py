"""`classroom50/TASK/LEARNER/result.json`: the result of a Classroom 50 autograder."""

# Source: https://github.com/foundation50/classroom50/wiki/Advanced-Autograding,
# "The result.json contract"; an assignment is one task.

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from workshop.cohort.exports.files import (
    file_names,
    find_learners,
    format_json,
    remove_others,
    write_text,
)
from workshop.cohort.exports.text import checks, explain, is_graded, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from workshop.cohort.row import Row

SCHEMA = "classroom50/result/v1"
CLASSROOM = "workshop"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def write(
    rows: Sequence[Row], folder: Path, environment: Mapping[str, str] = os.environ
) -> list[Path]:
    """Write one file for each learner and task that could be graded.

    `environment` has what Classroom 50's runner sets; without it, the fields name the submission.
    The format has no outcome for an error: the runner makes that from the exit code.
    """
    names = file_names(find_learners(rows))
    home = folder / "classroom50"
    written = [
        write_text(
            home / re.sub(r"[^\w-]", "_", row.task) / names[row.learner.id] / "result.json",
            format_json(result(row, environment)),
        )
        for row in rows
        if is_graded(row)
    ]
    remove_others(home, "*/*/result.json", written)
    return written


def result(row: Row, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the result of one learner for one task. Points are whole numbers."""
    commit = environment.get("COMMIT_URL") or f"sha256:{one_line(row.digest) or 'unknown'}"
    return {
        "schema": SCHEMA,
        "classroom": environment.get("CLASSROOM") or CLASSROOM,
        "assignment": environment.get("ASSIGNMENT") or one_line(row.task),
        "assignment_type": environment.get("ASSIGNMENT_TYPE") or "individual",
        "owner": environment.get("OWNER") or one_line(row.learner.id),
        "submission": environment.get("SUBMISSION_TAG") or f"submit/{one_line(row.digest)[:12]}",
        "commit": commit,
        "release": environment.get("RELEASE_URL") or commit,
        "review": environment.get("REVIEW_URL") or commit,
        "datetime": _utc(row.handed_in),
        "score": min(max(round(row.points), 0), row.max_score),
        "max-score": row.max_score,
        "tests": list(_tests(row)),
    }


def _utc(handed_in: str) -> str:
    """Return the time of the submission in UTC; unknown times are the year 1970.

    Classroom 50's runner replaces it with the time of the commit.
    """
    try:
        time = datetime.fromisoformat(handed_in)
    except ValueError:
        time = _NEVER
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _tests(row: Row) -> Iterator[dict[str, Any]]:
    for check in checks(row):
        is_passed = check.get("outcome") == "passed"
        yield {
            "test-name": one_line(check.get("title") or check.get("id")) or "check",
            "passed": is_passed,
            "score": check.get("points", 0),
            "max-score": check.get("max_points", 0),
            "extras": {"id": one_line(check.get("id")), "outcome": str(check.get("outcome"))}
            | ({} if is_passed else {"output": explain(check)}),
        }
