from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from workshop.grading import lint

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
