"""The file of a learner's progress, and the commands that read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.verdicts import GRADED

from workshop.commands import grading, progress
from workshop.core.errors import UserError
from workshop.model import Outcome, Result, Verdict
from workshop.tasks import course

if TYPE_CHECKING:
    from pathlib import Path

TASK = course.task("task-5")


def verdict(outcome: Outcome) -> Verdict:
    return Verdict(TASK, tuple(Result(check, outcome) for check in TASK.checks))


def test_a_full_check_is_recorded(tmp_path: Path):
    progress.record(tmp_path, verdict(Outcome.FAILED))
    progress.record(tmp_path, verdict(Outcome.PASSED))
    row = progress.read(tmp_path)["task-5"]
    assert (row.state, row.points, row.max_points, row.tries) == (
        *("passed", TASK.max_score),
        *(TASK.max_score, 2),
    )
    assert [path.name for path in tmp_path.iterdir()] == [progress.FILE]


@pytest.mark.parametrize(
    "unrecorded", [verdict(Outcome.ERROR), verdict(Outcome.PASSED)._replace(static=True)]
)
def test_a_static_or_unfinished_check_is_not_recorded(unrecorded: Verdict, tmp_path: Path):
    progress.record(tmp_path, unrecorded)
    assert progress.read(tmp_path) == {}


@pytest.mark.parametrize(
    "text",
    [
        "[task-5\n",
        '[task-5]\nstate = "passed"\n',
        '[task-5]\nstate = "x"\npoints = 1\nmax_points = 1\ntries = 1\nwhen = ""\n',
        '[task-5]\nstate = "passed"\npoints = "1"\nmax_points = 1\ntries = 1\nwhen = ""\n',
        "task-5 = 3\n",
    ],
)
def test_a_damaged_file_is_kept_and_reported(text: str, tmp_path: Path, capsys):
    (tmp_path / progress.FILE).write_text(text)
    with pytest.raises(UserError, match="Correct or delete it"):
        progress.read(tmp_path)
    progress.record(tmp_path, verdict(Outcome.PASSED))
    assert "Correct or delete it" in capsys.readouterr().err
    assert (tmp_path / progress.FILE).read_text() == text


def test_the_list_marks_the_next_task(tmp_path: Path, capsys):
    progress.record(tmp_path, verdict(Outcome.PASSED))
    assert progress.show_list(tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[1] for line in lines if line.startswith(" ->")] == ["baby-steps"]
    assert f"1 of {len(course.TASKS)} tasks passed." in lines
    (passed,) = [line for line in lines if " task-5 " in line]
    assert f"passed   {TASK.max_score}/{TASK.max_score}" in passed


def test_a_hint_is_one_of_the_first_failure(capsys):
    assert grading.show_hint(GRADED) == 1
    shown = capsys.readouterr().out
    assert "Try that." in shown
    long = GRADED.results[1]._replace(outcome=Outcome.FAILED, hint="word " * 40)
    grading.show_hint(GRADED._replace(results=(long,)))
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
    assert "line 3" in shown


def test_a_passed_answer_needs_no_hint(capsys):
    assert grading.show_hint(verdict(Outcome.PASSED)) == 0
    assert capsys.readouterr().out == "Nothing failed.\n"
