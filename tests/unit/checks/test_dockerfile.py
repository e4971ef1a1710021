from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workshop.analysis.source import Source
from workshop.model import Failed
from workshop.tasks import course

if TYPE_CHECKING:
    from pathlib import Path


def judge(folder: Path, task: str, dockerfile: str) -> None:
    found = course.task(task)
    (folder / found.answer[0]).write_text(dockerfile)
    base_image = next(check for check in found.checks if check.id == "base-image")
    base_image.judge(Source(found, folder))


@pytest.mark.parametrize("task", ["degrees-api", "todo-app", "deathstar", "task-3-1"])
@pytest.mark.parametrize("tag", ["", ":latest", ":3", ":bookworm"])
def test_a_required_version_has_two_numbers(task: str, tag: str, tmp_path: Path):
    with pytest.raises(Failed, match="python"):
        judge(tmp_path, task, f"FROM python{tag} AS production\n")
    judge(tmp_path, task, "FROM python:3.13 AS production\n")


@pytest.mark.parametrize("task", ["greeter", "task-3-2"])
@pytest.mark.parametrize("tag", ["slim", "3-slim", "slim-trixie", "3.13", "3.13-alpine"])
def test_a_slim_image_needs_a_version_too(task: str, tag: str, tmp_path: Path):
    with pytest.raises(Failed, match=f"python:{tag}"):
        judge(tmp_path, task, f"FROM python:{tag}\n")
    judge(tmp_path, task, "FROM python:3.13-slim\n")


def test_without_the_target_stage_the_last_stage_is_judged(tmp_path: Path):
    """Other checks report the missing stage."""
    judge(tmp_path, "todo-app", "FROM python:3.13 AS base\nFROM base AS prod\n")
    with pytest.raises(Failed, match="based on debian:13"):
        judge(tmp_path, "todo-app", "FROM python:3.13 AS base\nFROM debian:13 AS prod\n")


def test_a_file_without_stages_has_no_base_image(tmp_path: Path):
    with pytest.raises(Failed):
        judge(tmp_path, "todo-app", "# FROM python:3.13 AS production\n")
