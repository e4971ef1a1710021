from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workshop.analysis.source import Source
from workshop.checks.config import build_only_variable, sets_variable
from workshop.model import Failed
from workshop.tasks import course

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.model import Check

TASK = course.task("task-1")
SETS = sets_variable("PYTHONUNBUFFERED")
BUILD_ONLY = build_only_variable("DEBIAN_FRONTEND")


def judge(folder: Path, check: Check, dockerfile: str) -> None:
    (folder / "Dockerfile-task-1").write_text(dockerfile)
    assert check.text
    check.text(Source(TASK, folder))


@pytest.mark.parametrize("base", ["ubuntu:26.04", "python:3.13-slim", "docker.io/library/python"])
@pytest.mark.parametrize(
    "step", ["", "ENV PYTHONBUFFERED=1", "ARG PYTHONUNBUFFERED=1", 'ENV PYTHONUNBUFFERED=""']
)
def test_an_official_image_does_not_set_the_variable(base: str, step: str, tmp_path: Path):
    with pytest.raises(Failed, match="PYTHONUNBUFFERED"):
        judge(tmp_path, SETS, f"FROM {base}\n{step}\n")


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM python:3.13\nENV PYTHONUNBUFFERED=1\n",
        "FROM python:3.13 AS base\nENV PYTHONUNBUFFERED 1\nFROM base\n",
        "FROM example.org/python\n",
        "FROM example/ubuntu:1\n",
    ],
)
def test_another_image_may_set_the_variable(dockerfile: str, tmp_path: Path):
    judge(tmp_path, SETS, dockerfile)


def test_a_variable_only_for_the_build_may_be_missing(tmp_path: Path):
    judge(tmp_path, BUILD_ONLY, "FROM ubuntu:26.04\nARG DEBIAN_FRONTEND=noninteractive\n")
    with pytest.raises(Failed):
        judge(tmp_path, BUILD_ONLY, "FROM ubuntu:26.04\nENV DEBIAN_FRONTEND=noninteractive\n")
