"""Task 3-1: a base image with Python, and Poetry for the packages."""

from __future__ import annotations

from workshop.checks.dockerfile import VERSION
from workshop.tasks import poetry

TASK = poetry.task(
    "task-3-1",
    "build on a Python image, and install with Poetry",
    tag=rf"{VERSION}(?!.*(?:slim|alpine))",
    variant="full variant with a version",
    already_met=poetry.WITHOUT_POETRY,
)
