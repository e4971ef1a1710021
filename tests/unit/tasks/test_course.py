from __future__ import annotations

import pytest

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
