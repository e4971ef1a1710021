"""Files arrive as they were, in the folder that they were sent to and nowhere else."""

from __future__ import annotations

import os
import stat

import pytest

from workshop.cohort import bundle, listing
from workshop.cohort.bundle import File, pack, unpack
from workshop.core.errors import UserError

REGULAR, LINK = stat.S_IFREG | 0o644, stat.S_IFLNK | 0o777


def digest(folder):
    return listing.digest(listing.read(folder), "")


@pytest.fixture
def target(tmp_path):
    folder = tmp_path / "outer/target"
    folder.mkdir(parents=True)
    return folder


def test_every_kind_of_file_arrives_with_the_same_digest(tmp_path, target):
    folder = tmp_path / "anna"
    (folder / "app/deep").mkdir(parents=True)
    (folder / "Dockerfile").write_bytes(b"FROM a\r\n\xff\0")
    (folder / "app/run.sh").write_text("#!/bin/sh")
    (folder / "app/run.sh").chmod(0o755)
    (folder / "app/deep/link").symlink_to("../../nowhere")
    (folder / "app/outside").symlink_to("/etc")
    os.mkfifo(folder / "pipe")
    (folder / ".venv").mkdir()
    (folder / ".venv/x").touch()
    unpack(pack(folder), target, digest(folder))
    assert digest(target) == digest(folder)
    assert (target / "Dockerfile").read_bytes() == b"FROM a\r\n\xff\0"
    assert os.access(target / "app/run.sh", os.X_OK)
    assert (target / "app/deep/link").readlink() == (folder / "app/deep/link").readlink()
    assert stat.S_ISFIFO((target / "pipe").lstat().st_mode)
    assert not (target / ".venv").exists()


@pytest.mark.parametrize(
    "files",
    [
        [File("../x", REGULAR, b"")],
        [File("/workshop-x", REGULAR, b"")],
        [File("a/../../x", REGULAR, b"")],
        [File("./x", REGULAR, b"")],
        [File("", REGULAR, b"")],
        [File("x\x1b[2J", REGULAR, b"")],
        [File("x", REGULAR, b""), File("x", REGULAR, b"")],
        [File("a", LINK, b".."), File("a/x", REGULAR, b"")],
        [File("a", LINK, b".."), File("a/x", LINK, b"")],
        [File("a", REGULAR, b""), File("a/x", REGULAR, b"")],
        [File("x", stat.S_IFBLK | 0o644, b"")],
        [File("x", stat.S_IFDIR | 0o755, b"")],
    ],
)
def test_a_file_that_is_not_below_the_folder_is_refused_before_anything_is_written(files, target):
    with pytest.raises(UserError, match="the submission: "):
        unpack(files, target, "")
    assert [*target.parent.iterdir()] == [target]
    assert [*target.iterdir()] == []


def test_files_with_another_digest_are_refused(target):
    with pytest.raises(UserError, match="its files changed while it was sent"):
        unpack([File("x", REGULAR, b"1")], target, "0" * 64)


def test_too_much_is_refused_by_both_sides(tmp_path, target, monkeypatch):
    monkeypatch.setattr(bundle, "MAX_BYTES", 2_000_000)
    (tmp_path / "anna").mkdir()
    with (tmp_path / "anna/sparse").open("wb") as file:
        file.truncate(2_000_001)
    with pytest.raises(UserError, match="more than 2 MB or "):
        pack(tmp_path / "anna")
    with pytest.raises(UserError, match="more than 2 MB or "):
        unpack([File("x", REGULAR, bytes(2_000_001))], target, "")
    monkeypatch.setattr(bundle, "MAX_FILES", 1)
    with pytest.raises(UserError, match="or 1 files"):
        unpack([File("x", REGULAR, b""), File("y", REGULAR, b"")], target, "")


def test_a_folder_that_is_gone_is_one_line(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        pack(tmp_path / "gone")
