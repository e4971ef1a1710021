from __future__ import annotations

from pathlib import Path

import pytest
from harness import ROOT

from workshop.core.errors import UserError
from workshop.tasks import course


def test_finds_each_task_by_name():
    assert [course.task(name).name for name in course.TASKS] == list(course.TASKS)


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("task1", "Did you mean task-1"),
        ("todo", "Did you mean todo-app"),
        ("Task-5", "Did you mean task-5"),
        ("zzz", "The tasks are: baby-steps, "),
    ],
)
def test_suggests_a_name_for_an_unknown_task(name: str, fix: str):
    with pytest.raises(UserError, match=rf"no such task\. {fix}"):
        course.task(name)


@pytest.mark.parametrize("name", ["../evil", "__init__", "os", ""])
def test_does_not_import_other_modules(name: str):
    with pytest.raises(UserError):
        course.task(name)


@pytest.mark.parametrize("name", course.TASKS)
def test_the_reference_is_the_main_file_of_the_task(name: str):
    task = course.task(name)
    assert course.reference(name) == Path(task.folder) / task.answer[0]
    assert (ROOT / course.reference(name)).is_file()
