from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from workshop.cohort import listing
from workshop.cohort.listing import Unlisted
from workshop.core.paths import MAX_PATH
from workshop.grading.build_context import MAX_BYTES, MAX_FILES

if TYPE_CHECKING:
    from pathlib import Path


def digest(folder: Path, below: str = "") -> str:
    return listing.digest(listing.read(folder), below)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a" / "app").mkdir(parents=True)
    (tmp_path / "a" / "Dockerfile").write_text("FROM x")
    (tmp_path / "a" / "app" / "main.py").write_text("x")
    return tmp_path


def test_the_digest_does_not_depend_on_the_place_or_the_time(folder: Path):
    before = digest(folder / "a")
    os.utime(folder / "a" / "Dockerfile", (1, 1))
    (folder / "a").rename(folder / "b")
    assert digest(folder / "b") == digest(folder, "b") == before
    assert len(before) == 64


def _write(path: Path, text: str = "x") -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


CHANGES = {
    "content": lambda folder: _write(folder / "Dockerfile", "FROM y"),
    "name": lambda folder: (folder / "Dockerfile").rename(folder / "dockerfile"),
    "place": lambda folder: (folder / "app/main.py").rename(folder / "main.py"),
    "new file": lambda folder: _write(folder / "app/new"),
    "executable bit": lambda folder: (folder / "Dockerfile").chmod(0o755),
    "link": lambda folder: (folder / "link").symlink_to("Dockerfile"),
    "fifo": lambda folder: os.mkfifo(folder / "fifo"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_submission_changes_the_digest(folder: Path, change: str):
    before = digest(folder / "a")
    CHANGES[change](folder / "a")
    assert digest(folder / "a") != before


@pytest.mark.parametrize("name", [".git/x", ".venv/x", "app/__pycache__/x.pyc", ".env"])
def test_files_of_one_machine_do_not_change_the_digest(folder: Path, name: str):
    before = digest(folder / "a")
    _write(folder / "a" / name)
    assert digest(folder / "a") == before


def test_bits_other_than_the_executable_one_do_not_change_the_digest(folder: Path):
    before = digest(folder / "a")
    (folder / "a" / "Dockerfile").chmod(0o600)
    assert digest(folder / "a") == before


def test_the_target_of_a_link_counts_not_what_it_leads_to(folder: Path):
    (folder / "a" / "link").symlink_to(folder / "secret")
    _write(folder / "secret", "1")
    before = digest(folder / "a")
    _write(folder / "secret", "2")
    assert digest(folder / "a") == before
    (folder / "a" / "link").unlink()
    (folder / "a" / "link").symlink_to(folder / "other")
    assert digest(folder / "a") != before


def test_a_fifo_named_dockerfile_is_not_read(folder: Path):
    (folder / "a" / "Dockerfile").unlink()
    os.mkfifo(folder / "a" / "Dockerfile")
    assert digest(folder / "a")


def test_a_folder_that_no_build_context_could_hold_is_refused_unread(folder: Path):
    with (folder / "a" / "sparse").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(Unlisted, match="more than 50 MB or 5,000 files"):
        digest(folder, "a")
    assert digest(folder, "a/app")


def test_a_folder_with_too_many_files_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listing, "MAX_FILES", 1)
    assert MAX_FILES > 1
    with pytest.raises(Unlisted, match="more than 50 MB or 1 files"):
        digest(folder, "a")
    monkeypatch.setattr(listing, "MAX_LISTED", 1)
    with pytest.raises(Unlisted, match="more than 1 files"):
        listing.read(folder)


def test_a_path_that_is_too_long_is_refused(folder: Path):
    deep = folder / "a"
    for _ in range(11):
        deep /= "d" * 100
        deep.mkdir()
    _write(deep / "x")
    with pytest.raises(Unlisted, match=r"a path of 1[01][0-9]{2} characters: ddd"):
        listing.read(folder / "a")
    assert MAX_PATH == 1_000


def test_a_folder_that_is_none_is_refused(folder: Path):
    with pytest.raises(Unlisted, match="Not a directory"):
        listing.read(folder / "a" / "Dockerfile")
    with pytest.raises(Unlisted, match="No such file"):
        listing.read(folder / "none")


def test_a_file_that_is_gone_is_refused(folder: Path):
    listed = listing.read(folder)
    (folder / "a" / "Dockerfile").unlink()
    with pytest.raises(Unlisted, match="a/Dockerfile: No such file"):
        listing.digest(listed, "")
