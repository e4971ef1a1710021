"""The numbers in the pages for instructors are those of the lessons and the tasks."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from harness import ROOT

from workshop.tasks import course

PAGES = ROOT / "docs/instructors"
MINUTES = re.compile(r"^\| \[.*?\]\(\.\./(\S+?)\) \| (\d+) \| \d+ \|", re.MULTILINE)
POINTS = re.compile(r"^\| `(\S+)` \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
TIMES = dict(MINUTES.findall((PAGES / "index.md").read_text(encoding="utf-8")))
TABLE = {name: rest for name, *rest in POINTS.findall((PAGES / "grading.md").read_text("utf-8"))}


def test_every_lesson_and_every_task_is_in_a_table():
    lessons = (ROOT / "docs/lessons").rglob("*.md")
    names = {path.relative_to(ROOT / "docs").as_posix() for path in lessons}
    assert {*TIMES} == names - {"lessons/TEMPLATE.md"}
    assert [*TABLE] == [*course.TASKS]


@pytest.mark.parametrize(("page", "minutes"), TIMES.items())
def test_a_lesson_has_the_duration_of_the_table(page, minutes):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert re.search(rf"\*\*It takes\*\*\s+about\s+{minutes}\s+minutes", text)


@pytest.mark.parametrize("name", course.TASKS)
def test_a_task_has_the_points_of_the_table(name):
    task, points = course.task(name), Counter()
    for check in task.checks:
        points[check.stage] += check.points
    running = points["app"] + points["stack"]
    found = [task.max_score, points["source"], points["image"], running]
    assert [*map(int, TABLE[name])] == found, f"docs/instructors/grading.md, row {name}: {found}"
