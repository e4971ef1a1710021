from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from workshop.analysis import starter
from workshop.analysis.source import Source
from workshop.core.errors import UserError
from workshop.grading import build_context
from workshop.model import Failed, Recipe, Task

if TYPE_CHECKING:
    from pathlib import Path

TASK = Task(
    "task-0",
    "t",
    "l",
    folder="services/fastapi",
    answer=("Dockerfile-nonroot",),
    recipes=(Recipe(dockerfile="Dockerfile-nonroot"),),
    checks=(),
    withheld=("Dockerfile*", "README.md"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "learner"
    made.mkdir()
    return made


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    made = tmp_path / "staged"
    made.mkdir()
    return made


def test_what_the_learner_lacks_comes_from_the_starter(folder: Path, staged: Path):
    (folder / "app").mkdir()
    (folder / "app/main.py").write_text("mine")
    build_context.stage(Source(TASK, folder), staged, "canary")
    assert (staged / "app/main.py").read_text() == "mine"
    assert (staged / "poetry.lock").exists()
    assert not (staged / "Dockerfile-nonroot").exists()


def test_traps_are_set_in_the_build_context(folder: Path, staged: Path):
    (folder / ".env").write_text("MY_SECRET=1")
    build_context.stage(Source(TASK, folder), staged, "canary-1")
    for trap in build_context.TRAPS:
        assert (staged / trap).read_text() == "SECRET=canary-1\n"


def test_what_belongs_to_one_machine_is_left_out(folder: Path, staged: Path):
    for name in (".git/objects/x", ".venv/lib/y", "node_modules/z", "app/__pycache__/a.pyc"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("x")
    build_context.stage(Source(TASK, folder), staged, "canary")
    found = {path.name for path in staged.rglob("*")}
    assert not found & {"objects", "lib", "node_modules", "__pycache__"}


def test_a_link_inside_the_folder_stays_a_link(folder: Path, staged: Path):
    (folder / "real").write_text("x")
    (folder / "link").symlink_to("real")
    build_context.stage(Source(TASK, folder), staged, "canary")
    assert (staged / "link").readlink().name == "real"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "a/../../.."])
def test_a_link_out_of_the_folder_is_refused(folder: Path, staged: Path, target: str):
    (folder / "a").mkdir()
    (folder / "link").symlink_to(target)
    with pytest.raises(Failed, match=r"link is a link to .*; expected: links that stay"):
        build_context.stage(Source(TASK, folder), staged, "canary")


def test_links_that_lead_out_together_are_refused(folder: Path, staged: Path):
    (folder / "x/y").mkdir(parents=True)
    (folder / "x/y/up").symlink_to("../..")
    (folder / "out").symlink_to("x/y/up/../..")
    with pytest.raises(Failed, match="links that stay in the folder"):
        build_context.stage(Source(TASK, folder), staged, "canary")


def test_pipes_are_left_out(folder: Path, staged: Path):
    os.mkfifo(folder / "pipe")
    build_context.stage(Source(TASK, folder), staged, "canary")
    assert not (staged / "pipe").exists()


def test_a_huge_folder_is_refused(folder: Path, staged: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(build_context, "MOST_BYTES", 1000)
    (folder / "data").mkdir()
    (folder / "data/big").write_bytes(b"x" * 2000)
    with pytest.raises(UserError, match="those in data among them"):
        build_context.stage(Source(TASK, folder), staged, "canary")


def test_scripts_stay_executable(folder: Path, staged: Path):
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o700)
    build_context.stage(Source(TASK, folder), staged, "canary")
    assert (staged / "run.sh").stat().st_mode & 0o777 == 0o755


def test_a_starter_has_neither_answers_nor_what_is_withheld():
    found = starter.files(TASK)
    assert "app/main.py" in found
    assert not [path for path in found if path.startswith(("Dockerfile", "README"))]


def test_laying_out_overwrites_nothing(folder: Path):
    (folder / "poetry.lock").write_text("mine")
    new = starter.copy_missing(TASK, folder)
    assert "poetry.lock" not in new
    assert (folder / "poetry.lock").read_text() == "mine"
    assert starter.copy_missing(TASK, folder) == []
