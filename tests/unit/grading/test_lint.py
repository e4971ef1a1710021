from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from workshop.grading import lint

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def read_bubble(folder: Path, text: str) -> list[str]:
    (folder / "Dockerfile").write_text(text, encoding="utf-8")
    return [each.code for each in lint.ask([folder / "Dockerfile"])()]


def test_hadolint_advises(tmp_path: Path):
    assert "DL3000" in read_bubble(tmp_path, "FROM python:3.13\nWORKDIR app\n")


def test_there_is_no_advice_on_a_good_file(tmp_path: Path):
    assert read_bubble(tmp_path, 'FROM python:3.13\nUSER 1000\nCMD ["python"]\n') == []


def test_hadolints_own_trouble_in_reading_is_no_advice(tmp_path: Path):
    assert read_bubble(tmp_path, "FROM python:3.13\nRUN [\n<<EOF<<\n") == []


def test_a_learners_own_configuration_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / ".hadolint.yaml").write_text("ignored: [DL3000]\n")
    monkeypatch.chdir(tmp_path)
    assert "DL3000" in read_bubble(tmp_path, "FROM python:3.13\nWORKDIR app\n")


def test_without_a_file_or_hadolint_there_is_no_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert lint.ask([])() == ()
    assert lint.ask([tmp_path / "nowhere"])() == ()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert read_bubble(tmp_path, "FROM x\nWORKDIR app\n") == []
