"""Task 3-2: task 3-1 on the slim base image."""

from __future__ import annotations

from workshop.checks.dockerfile import VERSION
from workshop.tasks import poetry

TASK = poetry.task(
    "task-3-2",
    "shrink the image with a slim base",
    tag=rf"{VERSION}.*slim",
    variant="slim variant with a version",
    already_met=poetry.WITH_POETRY,
)
