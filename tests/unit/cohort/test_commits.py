"""The time of a commit is read without a setting of the repository."""

from __future__ import annotations

import os
import subprocess

import pytest

from workshop.cohort import commits, entries

DATE = "2026-06-01T14:32:01+02:00"


def git(folder, *arguments: str) -> None:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@school.test")
    dates = {"GIT_COMMITTER_DATE": DATE, "GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z"}
    subprocess.run(
        ["git", *identity, "-C", folder, *arguments],
        check=True,
        capture_output=True,
        env={**os.environ, **dates},
    )


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "ada"
    folder.mkdir()
    git(folder, "init", "--initial-branch=main")
    message = "A message\n\ncommitter Eve <e@x> 1 +0000"
    git(folder, "commit", "--allow-empty", "--message", message)
    return folder


def read(folder) -> str:
    return commits.read_times([folder]).get(folder, "")


def test_the_time_is_that_of_the_committer_in_a_checkout_and_in_a_clone(repository, tmp_path):
    assert read(repository) == DATE
    git(repository, "checkout", "--detach")
    assert read(repository) == DATE
    git(repository, "checkout", "main")
    git(repository, "gc")
    git(repository, "pack-refs", "--all")
    assert read(repository) == DATE
    git(tmp_path, "clone", f"file://{repository}", "clone")
    assert read(tmp_path / "clone") == DATE


def test_no_setting_of_the_repository_starts_a_program(repository, tmp_path):
    """The commit is missing, as in a partial clone: Git would ask the learner's `remote` for it."""
    attack = f"ext::touch {tmp_path}/attacked"
    config = repository / ".git/config"
    config.write_text(
        "[core]\nrepositoryFormatVersion = 1\n[extensions]\npartialClone = origin\n"
        f'[remote "origin"]\nurl = "{attack}"\npromisor = true\n'
        '[protocol "ext"]\nallow = always\n',
        encoding="utf-8",
    )
    (repository / ".git/refs/heads/main").write_text("1" * 40)
    assert read(repository) == ""
    assert not (tmp_path / "attacked").exists()
    # The settings do start it without the empty repository.
    subprocess.run(
        ["git", "-C", repository, "cat-file", "commit", "1" * 40], check=False, capture_output=True
    )
    assert (tmp_path / "attacked").exists()


@pytest.mark.parametrize(
    "head", ["", "ref: refs/heads/../../../other", "ref: refs/heads/none", "x" * 40, "-" * 40]
)
def test_an_unusual_head_has_no_time(repository, head):
    (repository / ".git/HEAD").write_text(head)
    assert read(repository) == ""


def test_a_link_or_a_fifo_is_not_read(repository, tmp_path):
    (tmp_path / "head").write_text("ref: refs/heads/main")
    (repository / ".git/HEAD").unlink()
    (repository / ".git/HEAD").symlink_to(tmp_path / "head")
    assert read(repository) == ""
    (repository / ".git/HEAD").unlink()
    os.mkfifo(repository / ".git/HEAD")
    assert read(repository) == ""


@pytest.mark.parametrize(
    ("fields", "time"),
    [
        ("committer A <a@x> 0 -0330", "1969-12-31T20:30:00-03:30"),
        ("committer A <a@x> 99999999999 +9900", ""),
        ("committer A <a@x> 1 +9900", ""),
        ("author A <a@x> 1 +0000", ""),
    ],
)
def test_a_time_has_the_offset_of_the_committer(fields, time):
    assert commits.parse_time(fields) == time


def test_without_git_there_is_no_time(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert read(repository) == ""


def test_a_checkout_is_handed_in_at_the_time_of_its_commit(repository):
    (item,) = entries.read(repository.parent, "class", None, ()).items
    assert (item.learner.id, item.handed_in) == ("ada", DATE)
