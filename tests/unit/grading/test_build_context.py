from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from workshop.analysis import starter, unwanted_files
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
    folder = tmp_path / "learner"
    folder.mkdir()
    return folder


@pytest.fixture
def context(tmp_path: Path) -> Path:
    context = tmp_path / "context"
    context.mkdir()
    return context


def create(folder: Path, context: Path) -> None:
    build_context.create_build_context(Source(TASK, folder), context, "canary")


def test_missing_files_come_from_the_starter(folder: Path, context: Path):
    (folder / "app").mkdir()
    (folder / "app/main.py").write_text("mine")
    create(folder, context)
    assert (context / "app/main.py").read_text() == "mine"
    assert (context / "poetry.lock").exists()
    assert not (context / "Dockerfile-nonroot").exists()


def test_secrets_are_planted_in_the_build_context(folder: Path, context: Path):
    (folder / ".env").write_text("MY_SECRET=1")
    create(folder, context)
    for path in unwanted_files.SECRETS:
        assert (context / path).read_text() == "SECRET=canary\n"


def test_a_secret_is_planted_at_every_depth(folder: Path, context: Path):
    (folder / "app/deep/deeper").mkdir(parents=True)
    (folder / "app/deep/deeper/x.py").write_text("")
    create(folder, context)
    for path in ("app", "app/deep", "app/deep/deeper", "tests"):
        assert (context / path / ".env").read_text() == "SECRET=canary\n"


def test_without_an_ignore_file_secrets_are_planted_only_at_the_top(tmp_path: Path):
    context = tmp_path / "context"
    (tmp_path / "learner/src").mkdir(parents=True)
    (tmp_path / "learner/src/x.py").write_text("")
    context.mkdir()
    task = TASK._replace(withheld=("*", ".*"))
    build_context.create_build_context(Source(task, tmp_path / "learner"), context, "canary")
    assert (context / ".env").exists()
    assert not (context / "src/.env").exists()


def test_a_nested_secret_of_the_learner_is_replaced(folder: Path, context: Path):
    (folder / "app").mkdir()
    (folder / "app/.env").write_text("MY_SECRET=1")
    create(folder, context)
    assert (context / "app/.env").read_text() == "SECRET=canary\n"


def test_a_task_without_images_gets_no_secrets(folder: Path, context: Path):
    (folder / ".dockerignore").touch()
    source = Source(TASK._replace(recipes=()), folder)
    build_context.create_build_context(source, context, "canary")
    assert not list(context.rglob(build_context.NESTED_FILE))


def test_files_of_one_machine_are_left_out(folder: Path, context: Path):
    for name in (".git/objects/x", ".venv/lib/y", "node_modules/z", "app/__pycache__/a.pyc"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("x")
    create(folder, context)
    found = {path.name for path in context.rglob("*")}
    assert not found & {"objects", "lib", "node_modules", "__pycache__"}


def test_a_link_inside_the_folder_stays_a_link(folder: Path, context: Path):
    (folder / "real").write_text("x")
    (folder / "link").symlink_to("real")
    create(folder, context)
    assert (context / "link").readlink().name == "real"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "a/../../.."])
def test_a_link_that_leaves_the_folder_is_refused(folder: Path, context: Path, target: str):
    (folder / "a").mkdir()
    (folder / "link").symlink_to(target)
    with pytest.raises(Failed, match=r"link is a link to .*; expected: only links that stay"):
        create(folder, context)


def test_links_that_leave_the_folder_together_are_refused(folder: Path, context: Path):
    (folder / "x/y").mkdir(parents=True)
    (folder / "x/y/up").symlink_to("../..")
    (folder / "out").symlink_to("x/y/up/../..")
    with pytest.raises(Failed, match="links that stay in the folder"):
        create(folder, context)


def test_a_link_that_leads_to_itself_stays_a_link(folder: Path, context: Path):
    (folder / "loop").symlink_to("loop")
    create(folder, context)
    assert (context / "loop").is_symlink()


def test_pipes_are_left_out(folder: Path, context: Path):
    os.mkfifo(folder / "pipe")
    create(folder, context)
    assert not (context / "pipe").exists()


def test_a_huge_folder_is_refused(folder: Path, context: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(build_context, "MAX_BYTES", 1000)
    (folder / "data").mkdir()
    (folder / "data/big").write_bytes(b"x" * 2000)
    with pytest.raises(UserError, match="including those in data"):
        create(folder, context)


def test_scripts_stay_executable(folder: Path, context: Path):
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o700)
    create(folder, context)
    assert (context / "run.sh").stat().st_mode & 0o777 == 0o755


def test_a_starter_has_neither_solutions_nor_withheld_files():
    found = starter.files(TASK)
    assert "app/main.py" in found
    assert not [path for path in found if path.startswith(("Dockerfile", "README"))]


def test_copying_the_starter_overwrites_nothing(folder: Path):
    (folder / "poetry.lock").write_text("mine")
    new = starter.copy_missing(TASK, folder)
    assert "poetry.lock" not in new
    assert (folder / "poetry.lock").read_text() == "mine"
    assert starter.copy_missing(TASK, folder) == []


def test_nothing_of_a_huge_folder_is_copied(
    folder: Path, context: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(build_context, "MAX_FILES", 1)
    for name in ("a", "b"):
        (folder / name).touch()
    with pytest.raises(UserError):
        create(folder, context)
    assert not list(context.iterdir())


def test_a_very_long_path_is_a_failure_of_the_submission(folder: Path, context: Path):
    deep = folder
    for _ in range(30):
        deep /= "d" * 50
    deep.mkdir(parents=True)
    with pytest.raises(Failed, match=r"a path of 1[0-9]{3} characters"):
        create(folder, context)


def test_a_sparse_file_is_not_copied(folder: Path, context: Path):
    with (folder / "sparse").open("wb") as file:
        file.truncate(8_000_000_000)
    with pytest.raises(UserError, match="more than 50 MB"):
        create(folder, context)
    assert not (context / "sparse").exists()
