"""The file of a learner's progress, and the commands that read it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from unit.verdicts import GRADED

from workshop.commands import grading, progress
from workshop.commands.status import show_status
from workshop.core.errors import UserError
from workshop.model import Outcome, Result, Verdict
from workshop.tasks import course

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.model import Task

TASK = course.task("task-5")
ROW = '[task-5]\nstate = "passed"\npoints = 1\nmax_points = 1\ntries = 1\n'


ANSWER = "Docker 26.1.5 answers"


def verdict(outcome: Outcome, task: Task = TASK) -> Verdict:
    return Verdict(task, tuple(Result(check, outcome) for check in task.checks))


def status(exercises: Path, capsys) -> dict[str, str]:
    """Return the lines of `workshop status` by their label."""
    assert show_status(exercises, ANSWER) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    return {label: rest.strip() for label, _, rest in (line.partition(":") for line in lines)}


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
        ROW + 'when = "yesterday"\n',
        ROW + "when = 3\n",
        ROW + 'when = "2026-01-01T10:00:00+00:00"\nfirst_failure = 3\n',
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
    assert lines[-1] == "Next: workshop start baby-steps (lesson part-3/baby-steps)"
    assert f"1 of {len(course.TASKS)} tasks passed." in lines
    (passed,) = [line for line in lines if " task-5 " in line]
    assert f"passed   {TASK.max_score}/{TASK.max_score}" in passed


def test_a_start_is_recorded_until_a_check_replaces_it(tmp_path: Path):
    progress.record_start(tmp_path, TASK)
    row = progress.read(tmp_path)["task-5"]
    assert (row.state, row.points, row.max_points, row.tries) == ("started", 0, TASK.max_score, 0)
    progress.record(tmp_path, verdict(Outcome.FAILED))
    progress.record_start(tmp_path, TASK)
    row = progress.read(tmp_path)["task-5"]
    assert (row.state, row.tries) == ("failed", 1)


@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.FAILED])
def test_only_a_check_counts_as_a_try(outcome: Outcome, tmp_path: Path):
    assert not progress.is_tried(tmp_path, "task-5")
    progress.record_start(tmp_path, TASK)
    assert not progress.is_tried(tmp_path, "task-5")
    progress.record(tmp_path, verdict(outcome))
    assert progress.is_tried(tmp_path, "task-5")


def test_the_list_shows_a_started_task_as_the_next(tmp_path: Path, capsys):
    progress.record_start(tmp_path, TASK)
    progress.show_list(tmp_path)
    lines = capsys.readouterr().out.splitlines()
    (started,) = [line for line in lines if " task-5  " in line]
    assert started.startswith(f" -> task-5          started   0/{TASK.max_score}")
    assert lines[-1] == "Next: workshop check task-5 (lesson fastapi/task-5)"


def test_the_next_task_is_the_one_after_the_last_that_was_worked_on(tmp_path: Path, capsys):
    progress.record(tmp_path, verdict(Outcome.PASSED, course.task("task-1")))
    progress.show_list(tmp_path)
    line = capsys.readouterr().out.splitlines()[-1]
    assert line == "Next: workshop start task-2 (lesson fastapi/task-2)"


def test_nothing_is_next_when_every_task_is_passed(tmp_path: Path, capsys):
    for name in course.TASKS:
        progress.record(tmp_path, verdict(Outcome.PASSED, course.task(name)))
    progress.show_list(tmp_path)
    assert "Next" not in capsys.readouterr().out
    assert status(tmp_path, capsys)["Next"] == "nothing: every task is passed"


def test_the_status_before_the_first_task(tmp_path: Path, capsys):
    found = status(tmp_path / "exercises", capsys)
    assert found["Folder"] == "exercises (it does not exist yet)"
    assert found["Task"] == "none yet"
    assert found["Next"] == "workshop start baby-steps (lesson part-3/baby-steps)"
    assert found["Engine"] == ANSWER
    assert found.keys() == {"Folder", "Task", "Next", "Engine"}


def test_the_status_after_a_failed_check(tmp_path: Path, capsys):
    failed = Result(TASK.checks[2], Outcome.FAILED, line=31, file="Dockerfile-nonroot")
    progress.record(tmp_path, verdict(Outcome.PASSED, course.task("task-1")))
    progress.record(tmp_path, Verdict(TASK, (failed,)))
    (tmp_path / "fastapi").mkdir()
    found = status(tmp_path, capsys)
    assert found["Folder"] == f"{tmp_path.name}/fastapi"
    assert found["Task"] == f"task-5: {TASK.title}"
    assert found["State"].startswith(f"failed, 0 of {TASK.max_score} points, 1 try, ")
    assert found["First"] == f"{TASK.checks[2].title} (Dockerfile-nonroot, line 31)"
    assert found["Next"] == "workshop check task-5, or workshop hint task-5"


def test_the_status_says_whether_the_learner_is_in_the_folder(tmp_path: Path, capsys, monkeypatch):
    progress.record_start(tmp_path, TASK)
    (tmp_path / "fastapi/app").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "fastapi/app")
    assert status(tmp_path, capsys)["Folder"] == f"{tmp_path.name}/fastapi (you are in it)"


def test_the_status_after_a_start_and_after_a_pass(tmp_path: Path, capsys):
    progress.record_start(tmp_path, TASK)
    found = status(tmp_path, capsys)
    assert found["State"].startswith("started, not checked yet, ")
    assert "First" not in found
    assert found["Next"] == "workshop check task-5 (lesson fastapi/task-5)"
    progress.record(tmp_path, verdict(Outcome.PASSED))
    progress.record(tmp_path, verdict(Outcome.PASSED))
    found = status(tmp_path, capsys)
    assert f"passed, {TASK.max_score} of {TASK.max_score} points, 2 tries, " in found["State"]
    assert found["Next"] == "workshop start baby-steps (lesson part-3/baby-steps)"


def test_a_quote_in_the_first_failure_is_written_and_read(tmp_path: Path):
    title = 'It prints "hello\\" and \x7f'
    failed = Result(TASK.checks[0]._replace(title=title), Outcome.FAILED)
    progress.record(tmp_path, Verdict(TASK, (failed,)))
    assert progress.read(tmp_path)["task-5"].first_failure == title


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path, capsys):
    # A read-only folder does not stop root.
    (tmp_path / f".{progress.FILE}.{os.getpid()}").mkdir()
    progress.record_start(tmp_path, TASK)
    error = capsys.readouterr().err
    assert "your progress is not recorded" in error
    assert error.count("\n") == 1


def test_a_folder_in_place_of_the_file_is_one_line(tmp_path: Path, capsys):
    (tmp_path / progress.FILE).mkdir()
    progress.record_start(tmp_path, TASK)
    assert "Correct or delete it" in capsys.readouterr().err
    with pytest.raises(UserError, match="Correct or delete it"):
        show_status(tmp_path, ANSWER)


def test_a_hint_is_one_of_the_first_failure(capsys):
    assert grading.show_hint(GRADED) == 1
    shown = capsys.readouterr().out
    assert "Try that." in shown
    long = GRADED.results[1]._replace(outcome=Outcome.FAILED, hint="word " * 40)
    grading.show_hint(GRADED._replace(results=(long,)))
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
    assert "line 3" in shown


def test_a_hint_names_no_file_without_a_line(capsys):
    failed = GRADED.results[1]._replace(line=None)
    grading.show_hint(GRADED._replace(results=(failed,)))
    assert "Dockerfile" not in capsys.readouterr().out


def test_a_hint_without_a_failure_names_the_error_of_the_kit(capsys):
    error = Result(TASK.checks[0], Outcome.ERROR, "the disk is full")
    assert grading.show_hint(Verdict(TASK, (error,))) == 2
    assert capsys.readouterr().out == "Not graded: the disk is full\n"


def test_a_passed_answer_needs_no_hint(capsys):
    assert grading.show_hint(verdict(Outcome.PASSED)) == 0
    assert capsys.readouterr().out == "Nothing failed.\n"
