"""The tasks of the course, in their order."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from workshop.core.errors import UserError

if TYPE_CHECKING:
    from workshop.model import Task

# Each task is a module of `workshop.tasks` that holds TASK; `-` in its name is `_` there.
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
    """The task of that name; a `UserError` names the nearest one where there is none."""
    if name not in TASKS:
        import difflib  # noqa: PLC0415 - few people need it, and everyone would wait for it

        near = difflib.get_close_matches(name, TASKS, n=1, cutoff=0.5)
        fix = f"Did you mean {near[0]}?" if near else f"The tasks are: {', '.join(TASKS)}"
        raise UserError(f"task {name}", "there is none of that name", fix)
    module = importlib.import_module(f"workshop.tasks.{name.replace('-', '_')}")
    found: Task = module.TASK
    return found
