"""Requirements for every task: its starter fails, every valid answer passes, and each check can
fail on its own, for the reason that it gives."""

from __future__ import annotations

import shutil
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from rubric.examples import TASKS, broken, describe, lay_out_answer, lay_out_right, right

from workshop.analysis import source, starter
from workshop.core.paths import ROOT
from workshop.grading import grade
from workshop.model import Outcome
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rubric.examples import Broken, Right

    from workshop.model import Task, Verdict

    Judge = Callable[[Task, Path], Verdict]

VALID_ANSWERS = 5
# Ways to fool graders that read only text, or trust the image.
LOOPHOLES = {
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
# Graded in `make test` too: the other examples and these tasks take longer.
QUICK = {"FROM scratch alone", "a fake id", "a server on 127.0.0.1"}
LONG = {"todo-app", "compose-todo"}
# The share of a task's points that a learner gets at most without doing the task.
UNTOUCHED = 0.2
# The task before each task; where that has another kind of answer, the last one of the same kind.
TASK_BEFORE = {
    **{task.name: before for before, task in pairwise(TASKS)},
    "baby-steps": course.task("basic-python"),
    "compose-part-3": course.task("compose-todo"),
    "degrees-api": course.task("greeter"),
    "compose-todo": course.task("compose-part-3"),
    "deathstar": course.task("todo-app"),
    "task-5": course.task("task-3-2"),
}
BROKEN, RIGHT = broken(), right()
every_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
every_right_answer = pytest.mark.parametrize(
    "example", RIGHT, ids=lambda example: f"{example.task.name}-{example.name}"
)


@every_task
def test_a_check_has_all_its_texts(task: Task):
    for check in task.checks:
        assert check.title, check.id
        assert check.why.endswith("."), check.id
        assert check.hint, check.id
        assert check.lesson, check.id
        assert check.points > 0, check.id


@every_task
def test_check_ids_are_unique(task: Task):
    assert not [name for name, n in Counter(c.id for c in task.checks).items() if n > 1]


@every_task
def test_every_check_has_a_broken_example(task: Task):
    covered = {example.check for example in BROKEN if example.task is task}
    assert {check.id for check in task.checks} == covered


@pytest.mark.parametrize("example", BROKEN, ids=lambda example: example.name)
def test_a_broken_example_fits_the_reference_solution(example: Broken, tmp_path: Path):
    example.lay_out(tmp_path)


def test_every_known_loophole_is_closed():
    """Each is a broken example that is graded below."""
    assert {example.loophole for example in BROKEN} - {""} == LOOPHOLES


@every_task
def test_there_are_valid_answers_in_several_styles(task: Task):
    assert sum(example.task is task for example in RIGHT) >= VALID_ANSWERS


@every_task
def test_a_starter_contains_no_answer(task: Task):
    assert not {*task.answer} & {*starter.files(task)}


@every_task
def test_a_starter_fails_the_static_check(task: Task, tmp_path: Path):
    starter.copy_missing(task, tmp_path)
    assert grade.static(source.find(task, tmp_path)).outcome == "failed"


@every_task
def test_a_starter_fails(judge: Judge, task: Task, tmp_path: Path):
    starter.copy_missing(task, tmp_path)
    verdict = judge(task, tmp_path)
    assert verdict.outcome == "failed", describe(verdict)
    assert verdict.score <= task.max_score * UNTOUCHED, describe(verdict)


@pytest.mark.slow
@every_task
def test_the_answer_to_the_task_before_is_worth_little(judge: Judge, task: Task, tmp_path: Path):
    before = TASK_BEFORE[task.name]
    starter.copy_missing(task, tmp_path)
    shutil.copy(ROOT / before.folder / before.answer[0], tmp_path / task.answer[0])
    verdict = judge(task, tmp_path)
    assert verdict.outcome == "failed", describe(verdict)
    assert verdict.score <= task.max_score * UNTOUCHED, describe(verdict)


@every_task
def test_a_task_has_requirements_that_the_task_before_lacks(task: Task):
    ids = {check.id for check in task.checks}
    assert ids > set(task.already_met)


@pytest.mark.parametrize(
    "task",
    [
        pytest.param(task, id=task.name, marks=pytest.mark.slow if task.name in LONG else ())
        for task in TASKS
    ],
)
def test_the_reference_solution_gets_every_point(judge: Judge, task: Task, tmp_path: Path):
    lay_out_answer(task, tmp_path)
    verdict = judge(task, tmp_path)
    assert verdict.score == task.max_score, describe(verdict)
    assert verdict.outcome == "passed", describe(verdict)


@every_task
def test_the_reference_solution_passes_the_static_check(task: Task, tmp_path: Path):
    lay_out_answer(task, tmp_path)
    verdict = grade.static(source.find(task, tmp_path))
    assert verdict.outcome == "passed", describe(verdict)


@every_right_answer
def test_a_valid_answer_passes_the_static_check(example: Right, tmp_path: Path):
    lay_out_right(example, tmp_path)
    verdict = grade.static(source.find(example.task, tmp_path))
    assert verdict.outcome == "passed", describe(verdict)


@pytest.mark.slow
@every_right_answer
def test_a_valid_answer_gets_every_point(judge: Judge, example: Right, tmp_path: Path):
    lay_out_right(example, tmp_path)
    verdict = judge(example.task, tmp_path)
    assert verdict.score == example.task.max_score, describe(verdict)


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(
            example, id=example.name, marks=() if example.loophole in QUICK else pytest.mark.slow
        )
        for example in BROKEN
    ],
)
def test_a_broken_answer_fails_only_its_checks(judge: Judge, example: Broken, tmp_path: Path):
    example.lay_out(tmp_path)
    verdict = judge(example.task, tmp_path)
    failed = [r for r in verdict.results if r.outcome is Outcome.FAILED]
    assert {r.check.id for r in failed} == {example.check, *example.also}, describe(verdict)
    assert not [r for r in verdict.results if r.outcome is Outcome.ERROR], describe(verdict)
    for result in failed:
        assert result.actual, result.check.id
        assert result.expected, result.check.id
