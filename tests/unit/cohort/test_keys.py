"""A key stands for everything that a verdict depends on."""

from __future__ import annotations

import pytest
from classroom import submission
from fakes import NO_ENGINE, docker

from workshop.cohort import keys
from workshop.cohort.keys import Keys, read_keys, rubric_digest
from workshop.core.errors import UserError

ANNA = submission("anna", "x")
KEYS = Keys("0.1", "26")


def test_identical_submissions_have_the_same_key():
    assert KEYS.key(ANNA) == KEYS.key(submission("ben", "x"))


@pytest.mark.parametrize(
    "other",
    [
        KEYS.key(submission("anna", "y")),
        KEYS.key(submission("anna", "x", "basic-python")),
        KEYS._replace(kit="0.2").key(ANNA),
        KEYS._replace(engine="27").key(ANNA),
    ],
)
def test_another_file_task_kit_or_engine_changes_the_key(other):
    assert KEYS.key(ANNA) != other


def test_a_change_of_a_check_or_a_starter_file_changes_the_key(tmp_path, monkeypatch):
    for part in ("analysis", "checks", "grading", "tasks"):
        (tmp_path / "workshop" / part).mkdir(parents=True)
    files = [tmp_path / "workshop/model.py", tmp_path / "workshop/checks/user.py"]
    files.append(tmp_path / "services/fastapi/app.py")
    files[-1].parent.mkdir(parents=True)
    monkeypatch.setattr(keys, "ROOT", tmp_path)
    monkeypatch.setattr("workshop.analysis.starter.ROOT", tmp_path)

    def digest():
        keys._code_digest.cache_clear()
        return rubric_digest.__wrapped__("task-5")

    for file in files:
        file.write_text("old")
    try:
        seen = [digest()]
        for file in files:
            file.write_text("new")
            seen.append(digest())
        assert len({*seen}) == 4
        assert digest() == seen[-1]
    finally:
        keys._code_digest.cache_clear()


def test_the_stand_ins_of_an_engine_are_a_part_of_the_keys():
    real, _ = docker({"docker image inspect": ""})
    standins, _ = docker({"docker image inspect": "debian"})
    assert read_keys(real) == read_keys(real) != read_keys(standins)


def test_without_an_engine_there_are_no_keys():
    engine, _ = docker(info=NO_ENGINE)
    with pytest.raises(UserError, match="no Docker engine answers"):
        read_keys(engine)
