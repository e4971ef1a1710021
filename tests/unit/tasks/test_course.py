from __future__ import annotations

import pytest

from workshop.core.errors import UserError
from workshop.tasks import course


def test_each_task_is_found_by_its_name():
    assert [course.task(name).name for name in course.TASKS] == list(course.TASKS)


@pytest.mark.parametrize(
    ("name", "near"), [("task1", "task-1"), ("todo", "todo-app"), ("Task-5", "task-5")]
)
def test_an_unknown_task_is_told_with_the_nearest(name: str, near: str):
    with pytest.raises(UserError, match=rf"there is none of that name\. Did you mean {near}"):
        course.task(name)


def test_a_name_like_no_other_is_told_with_all():
    with pytest.raises(UserError, match="The tasks are: baby-steps, "):
        course.task("zzz")


@pytest.mark.parametrize("name", ["../evil", "__init__", "os", ""])
def test_a_name_is_never_a_module(name: str):
    with pytest.raises(UserError):
        course.task(name)
