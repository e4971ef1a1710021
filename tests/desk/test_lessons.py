"""What the blocks of the lessons do in the desk."""

from __future__ import annotations

import re

import pytest

from desk import lessons
from workshop.core.errors import UserError
from workshop.tasks import course

BABY_STEPS = "lessons/part-3/baby-steps"


def test_every_task_has_its_lesson():
    """No two tasks share one, so that the page shows one list of checks."""
    found = [lesson.task for lesson in lessons.lessons_in_order() if lesson.task]
    assert sorted(found) == sorted(course.TASKS)


@pytest.mark.parametrize("lesson", lessons.lessons_in_order(), ids=lambda lesson: lesson.name)
def test_every_block_does_something_unless_its_file_is_outside_the_exercises(lesson, tmp_path):
    kinds = [block["kind"] for block in lessons.describe(lesson, tmp_path)["blocks"]]
    assert "console" not in kinds
    # The settings of an editor, in the folder of the course.
    outside = 1 if lesson.name == "lessons/todo-app/debugging" else 0
    assert kinds.count("file") + kinds.count("edit") == outside


def test_a_block_runs_in_the_folder_of_the_commands_before_it(tmp_path):
    blocks = lessons.describe(lessons.find_lesson("lessons/part-3/compose"), tmp_path)["blocks"]
    folders = [block["folder"] for block in blocks if block["kind"] == "run"]
    assert folders[0] == str(tmp_path)
    assert str(tmp_path / "exercises/compose-part-3") in folders
    saved = {block["path"] for block in blocks if block["kind"] == "save"}
    assert saved == {"compose-part-3/docker-compose.part-3.yml"}


def test_the_prompt_of_a_container_is_found_with_any_id(tmp_path):
    blocks = lessons.describe(lessons.find_lesson(BABY_STEPS), tmp_path)["blocks"]
    (steps,) = (block["steps"] for block in blocks if len(block.get("steps", ())) > 1)
    assert [step["text"] for step in steps] == [
        "docker run -it --rm first-container bash",
        "cowsay moo",
        "exit",
    ]
    assert steps[0]["prompt"] == ""
    assert re.search(steps[1]["prompt"], "root@0123456789ab:/# ")
    assert not re.search(steps[1]["prompt"], "desk $ ")


def test_the_images_of_a_lesson_are_those_that_it_builds(tmp_path):
    assert lessons.describe(lessons.find_lesson(BABY_STEPS), tmp_path)["images"] == [
        "first-container"
    ]


def test_output_is_compared_as_in_the_tests_of_the_lessons(tmp_path):
    blocks = lessons.describe(lessons.find_lesson(BABY_STEPS), tmp_path)["blocks"]
    number = next(
        n for n, b in enumerate(blocks) if b["kind"] == "run" and "start" in b["steps"][0]["text"]
    )
    good = [
        "baby-steps: build an image that prints a message with cowsay",
        "x",
        "Then: workshop check baby-steps",
    ]
    assert lessons.compare(BABY_STEPS, number, 0, good)["matched"]
    assert lessons.compare(BABY_STEPS, number, 0, ["noise", *good])["matched"]
    assert not lessons.compare(BABY_STEPS, number, 0, good[:-1])["matched"]


def test_a_server_that_has_started_may_print_more(tmp_path):
    name = "lessons/fastapi/task-5"
    blocks = lessons.describe(lessons.find_lesson(name), tmp_path)["blocks"]
    number = next(n for n, block in enumerate(blocks) if block.get("keeps_running"))
    lines = [
        "INFO:     Started server process [1]",
        "INFO:     Waiting for application startup.",
        "INFO:     Application startup complete.",
        "INFO:     Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)",
    ]
    request = 'INFO:     127.0.0.1:43090 - "GET / HTTP/1.1" 200 OK'
    assert lessons.compare(name, number, 0, [*lines, request])["matched"]
    assert not lessons.compare(name, number, 0, [*lines[:-1], request])["matched"]


def test_a_narrow_terminal_wraps_lines_elsewhere(tmp_path):
    blocks = lessons.describe(lessons.find_lesson(BABY_STEPS), tmp_path)["blocks"]
    number = next(
        n
        for n, block in enumerate(blocks)
        if block["kind"] == "run" and block["steps"][0]["text"] == "workshop check baby-steps"
    )
    wrapped = ["baby-steps: build an image that", "prints a message with cowsay", "  passed"]
    for last, matched in (("everything", True), ("nothing", False)):
        lines = [*wrapped, f"13 of 13 points: {last}", "passed."]
        assert lessons.compare(BABY_STEPS, number, 0, lines)["matched"] is matched


def test_a_change_that_does_not_fit_is_refused(tmp_path):
    name = "lessons/degrees-api"
    blocks = lessons.describe(lessons.find_lesson(name), tmp_path)["blocks"]
    first, second = [n for n, block in enumerate(blocks) if block["kind"] == "save"][:2]
    text = lessons.edit(name, first, "")
    assert text.startswith("FROM python:3.13-slim-trixie\n")
    assert "WORKDIR /app" in lessons.edit(name, second, text)
    with pytest.raises(UserError, match="not there exactly once"):
        lessons.edit(name, second, "FROM scratch\n")


@pytest.mark.parametrize(("name", "number"), [("../x", 0), (BABY_STEPS, 999), (BABY_STEPS, -1)])
def test_what_is_no_block_is_refused(name, number):
    with pytest.raises(UserError):
        lessons.edit(name, number, "")
