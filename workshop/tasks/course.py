"""The tasks of the course, in order."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core.errors import UserError

if TYPE_CHECKING:
    from workshop.model import Task

# The file that a learner writes for each task, as the path of the reference solution's. The task
# itself is the TASK of a module of `workshop.tasks`, with `_` in place of `-`.
TASKS = {
    "baby-steps": "services/part-3/baby-steps/Dockerfile",
    "basic-python": "services/part-3/basic-python/Dockerfile",
    "greeter": "services/part-3/python-poetry/Dockerfile",
    "compose-part-3": "docker-compose.part-3.yml",
    "degrees-api": "services/degrees_api/Dockerfile",
    "todo-app": "services/todo-app/Dockerfile",
    "compose-todo": "docker-compose.yml",
    "deathstar": "services/deathstar/Dockerfile",
    "task-1": "services/fastapi/Dockerfile-task-1",
    "task-2": "services/fastapi/Dockerfile-task-2",
    "task-3-1": "services/fastapi/Dockerfile-task-3-1",
    "task-3-2": "services/fastapi/Dockerfile-task-3-2",
    "task-4": "services/fastapi/task-4.toml",
    "task-5": "services/fastapi/Dockerfile-nonroot",
}


def task(name: str) -> Task:
    """Load a task by name; its lesson becomes the lesson of its checks.

    Raises `UserError` with the closest name for an unknown task.
    """
    reference(name)
    found: Task = importlib.import_module(f"workshop.tasks.{name.replace('-', '_')}").TASK
    checks = tuple(check._replace(lesson=found.lesson) for check in found.checks)
    return found._replace(checks=checks)


def reference(name: str) -> Path:
    """Return the path of a task's main file, relative to the checkout, without loading the task.

    Raises `UserError` with the closest name for an unknown task.
    """
    if name not in TASKS:
        import difflib  # noqa: PLC0415 - only needed for a wrong name

        parts = [task for task in TASKS if task.startswith(f"{name}-")]
        near = parts or difflib.get_close_matches(name, TASKS, n=1, cutoff=0.5)
        fix = f"Did you mean {' or '.join(near)}?" if near else f"The tasks are: {', '.join(TASKS)}"
        raise UserError(f"task {name}", "no such task", fix)
    return Path(TASKS[name])
