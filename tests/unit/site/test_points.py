"""The points that a lesson shows after `workshop check TASK` are those of the task."""

from __future__ import annotations

import re

import pytest

from workshop.site import lessons
from workshop.tasks import course

CHECK = re.compile(r"workshop check ([\w-]+)")
POINTS = re.compile(r"(?:\d+|\.\.\.) of (\d+) points")


def shown() -> list[tuple[str, int, str, int]]:
    """Page, line, task and points of every result of a check that a page shows."""
    return [
        (page.name, command.line, task[1], int(points[1]))
        for page in lessons.pages()
        for block in page.blocks
        for command in block.commands
        if (task := CHECK.search(command.text))
        for line in command.shown
        if (points := POINTS.search(line))
    ]


@pytest.mark.parametrize(("page", "line", "task", "points"), shown())
def test_a_lesson_shows_the_points_of_its_task(page: str, line: int, task: str, points: int):
    expected = course.task(task).max_score
    assert points == expected, f"docs/{page}.md, line {line}: {task} has {expected} points"
