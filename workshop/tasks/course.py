"""The tasks of the course, in order."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from workshop.core.errors import UserError

if TYPE_CHECKING:
    from workshop.model import Task

# Each task is the TASK of a module of `workshop.tasks`; `-` in its name is `_` in the module's.
TASKS = (
    "baby-steps",
    "basic-python",
    "greeter",
    "compose-part-3",
    "degrees-api",
    "todo-app",
    "compose-todo",
    "deathstar",
    "task-1",
    "task-2",
    "task-3-1",
    "task-3-2",
    "task-4",
    "task-5",
)


def task(name: str) -> Task:
    """Load a task by name; its lesson becomes the lesson of its checks.

    Raises `UserError` with the closest name for an unknown task.
    """
    if name not in TASKS:
        import difflib  # noqa: PLC0415 - only needed for a wrong name

        near = difflib.get_close_matches(name, TASKS, n=1, cutoff=0.5)
        fix = f"Did you mean {near[0]}?" if near else f"The tasks are: {', '.join(TASKS)}"
        raise UserError(f"task {name}", "no such task", fix)
    found: Task = importlib.import_module(f"workshop.tasks.{name.replace('-', '_')}").TASK
    checks = tuple(check._replace(lesson=found.lesson) for check in found.checks)
    return found._replace(checks=checks)
