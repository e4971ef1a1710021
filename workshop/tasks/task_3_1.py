"""Task 3-1: a base image that brings Python, and Poetry for the packages."""

from __future__ import annotations

from workshop.tasks import poetry

TASK = poetry.task(
    "task-3-1",
    "build on an image with Python, and install with Poetry",
    tag=r"^\d(?!.*(?:slim|alpine))",
    kind="in its full variant, with a version",
)
