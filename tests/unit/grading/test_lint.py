from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from harness import ROOT

from workshop.grading import lint
from workshop.model import LintWarning
from workshop.tasks import course

if TYPE_CHECKING:
    from pathlib import Path

BAD = "FROM python:3.13\nWORKDIR app\n"


def codes(folder: Path, text: str) -> list[str]:
    (folder / "Dockerfile").write_text(text, encoding="utf-8")
    return [warning.code for warning in lint.start_hadolint([folder / "Dockerfile"])()]


def test_hadolint_warns(tmp_path: Path):
    assert "DL3000" in codes(tmp_path, BAD)


@pytest.mark.parametrize(
    "text",
    ['FROM python:3.13\nUSER 1000\nCMD ["python"]\n', "FROM python:3.13\nRUN [\n<<EOF<<\n"],
    ids=["good file", "file that hadolint cannot parse"],
)
def test_no_warnings(tmp_path: Path, text: str):
    assert codes(tmp_path, text) == []


def test_a_learners_own_configuration_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / ".hadolint.yaml").write_text("ignored: [DL3000]\n")
    monkeypatch.chdir(tmp_path)
    assert "DL3000" in codes(tmp_path, BAD)


def test_no_warnings_without_a_file_or_hadolint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert lint.start_hadolint([])() == ()
    assert lint.start_hadolint([tmp_path / "nowhere"])() == ()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert codes(tmp_path, BAD) == []


def select(task: str, code: str, line: str) -> bool:
    """Whether a warning about the second line of a Dockerfile is shown for a task."""
    warning = LintWarning(2, code, "text")
    return lint.select([warning], course.task(task), f"ARG A=1\n{line}\n") == (warning,)


@pytest.mark.parametrize(
    ("task", "code", "line", "shown"),
    [
        ("task-1", "DL3059", "RUN a", False),
        ("degrees-api", "DL3059", "RUN a", True),
        ("task-2", "DL3042", "RUN pip install a", False),
        ("degrees-api", "DL3042", "RUN pip install a", True),
        ("degrees-api", "DL3007", "FROM python:latest", False),
        ("task-4", "DL3006", "FROM $BASE", False),
        ("task-4", "DL3006", "FROM python", True),
        ("compose-todo", "DL3025", "HEALTHCHECK CMD curl x || exit 1", False),
        ("compose-todo", "DL3025", "CMD python", True),
        ("degrees-api", "DL3025", "CMD python", False),
    ],
)
def test_a_warning_is_shown_if_it_helps_with_the_task(task, code, line, shown):
    assert select(task, code, line) is shown


def test_few_warnings_are_shown():
    warnings = [LintWarning(line, "DL4006", "text") for line in range(1, 20)]
    assert len(lint.select(warnings, course.task("task-1"), "")) == lint.MAX_WARNINGS


def test_task_1_answers_give_no_warning():
    file = ROOT / "services/fastapi/Dockerfile-task-1"
    warnings = lint.start_hadolint([file])()
    assert warnings
    assert lint.select(warnings, course.task("task-1"), file.read_text(encoding="utf-8")) == ()
