"""What must be true of every task: its starter fails, every right answer passes, and each check
can fail, by itself, for the reason that it gives."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from rubric.examples import TASKS, broken, lay_out_answer, lay_out_right, right, told

from workshop.analysis import source, starter
from workshop.grading import grade
from workshop.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rubric.examples import Broken, Right

    from workshop.model import Task, Verdict

    Judge = Callable[[Task, Path], Verdict]

RIGHT_ANSWERS = 5
# What graders that read text, or believe the image, are known to fall for.
HOLES = {
    "FROM scratch alone",
    "USER inside a heredoc",
    "USER from an ARG that is root",
    "a user called app with uid 0",
    "a fake id",
    "a server on 127.0.0.1",
    "a shell that swallows SIGTERM",
    "a HEALTHCHECK that always succeeds",
    "a requirement met in an earlier stage alone",
    "a secret deleted in a later layer",
}
every_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)


@every_task
def test_a_check_says_why_it_matters_what_to_try_and_where_to_read(task: Task):
    for check in task.checks:
        assert check.title, check.id
        assert check.why.endswith("."), check.id
        assert check.hint, check.id
        assert check.lesson, check.id
        assert check.points > 0, check.id


@every_task
def test_a_check_has_an_id_of_its_own(task: Task):
    assert not [name for name, n in Counter(c.id for c in task.checks).items() if n > 1]


@every_task
def test_every_check_has_a_broken_example(task: Task):
    told_of = {example.check for example in broken() if example.task is task}
    assert {check.id for check in task.checks} == told_of


def test_the_known_holes_are_closed():
    """Each is a broken example that fails below, with every run of the suite."""
    assert {example.hole for example in broken()} - {""} == HOLES


@every_task
def test_there_are_right_answers_of_several_styles(task: Task):
    assert sum(example.task is task for example in right()) >= RIGHT_ANSWERS


@every_task
def test_a_starter_holds_no_answer(task: Task):
    assert not {*task.answer} & {*starter.files(task)}


@every_task
def test_a_starter_fails_by_its_text_already(task: Task, tmp_path: Path):
    starter.copy_missing(task, tmp_path)
    assert grade.static(source.find(task, tmp_path)).outcome == "failed"


@every_task
def test_a_starter_fails(judge: Judge, task: Task, tmp_path: Path):
    starter.copy_missing(task, tmp_path)
    verdict = judge(task, tmp_path)
    assert verdict.outcome == "failed", told(verdict)


@every_task
def test_the_kits_answer_gets_every_point(judge: Judge, task: Task, tmp_path: Path):
    lay_out_answer(task, tmp_path)
    verdict = judge(task, tmp_path)
    assert verdict.score == task.max_score, told(verdict)
    assert verdict.outcome == "passed", told(verdict)


@every_task
def test_the_text_of_the_kits_answer_shows_nothing_wrong(task: Task, tmp_path: Path):
    lay_out_answer(task, tmp_path)
    verdict = grade.static(source.find(task, tmp_path))
    assert verdict.outcome == "passed", told(verdict)


@pytest.mark.parametrize("example", right(), ids=lambda e: f"{e.task.name}-{e.name}")
def test_the_text_of_a_right_answer_shows_nothing_wrong(example: Right, tmp_path: Path):
    lay_out_right(example, tmp_path)
    verdict = grade.static(source.find(example.task, tmp_path))
    assert verdict.outcome == "passed", told(verdict)


@pytest.mark.rubric
@pytest.mark.parametrize("example", right(), ids=lambda e: f"{e.task.name}-{e.name}")
def test_a_right_answer_gets_every_point(judge: Judge, example: Right, tmp_path: Path):
    lay_out_right(example, tmp_path)
    verdict = judge(example.task, tmp_path)
    assert verdict.score == example.task.max_score, told(verdict)


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(example, id=example.name, marks=[] if example.hole else [pytest.mark.rubric])
        for example in broken()
    ],
)
def test_a_broken_answer_fails_its_check_and_no_other(
    judge: Judge, example: Broken, tmp_path: Path
):
    lay_out_answer(example.task, tmp_path)
    for change in example.changes:
        change.make(tmp_path)
    verdict = judge(example.task, tmp_path)
    failed = {r.check.id for r in verdict.results if r.outcome is Outcome.FAILED}
    assert failed == {example.check, *example.also}, told(verdict)
    assert not [r for r in verdict.results if r.outcome is Outcome.ERROR], told(verdict)
    for result in verdict.results:
        if result.outcome is Outcome.FAILED:
            assert result.actual, result.check.id
            assert result.expected, result.check.id
