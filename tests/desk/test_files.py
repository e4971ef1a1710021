"""The editor's files: nothing outside their folder, and nothing lost."""

from __future__ import annotations

import errno
import os

import pytest

from desk.files import MISSING, Conflict, File, Files
from workshop.core.errors import UserError


@pytest.fixture(params=["folders are opened", "as on Windows"])
def root(request, tmp_path, monkeypatch):
    if request.param == "as on Windows":
        monkeypatch.setattr(os, "supports_dir_fd", set())
    root = tmp_path / "exercises"
    (root / "task").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    return root


def test_a_saved_file_is_read_again_with_its_version(root):
    files = Files(root)
    saved = files.save("task/app/main.py", "print()\r\n", "")
    assert files.read("task/app/main.py") == File("print()\r\n", saved.version)
    assert (root / "task/app/main.py").read_bytes() == b"print()\r\n"
    assert files.read("task/none") == MISSING
    assert files.list_files("task") == ["task/app/main.py"]


def test_a_save_keeps_the_mode(root):
    (root / "task/run.sh").write_text("a")
    (root / "task/run.sh").chmod(0o750)
    files = Files(root)
    files.save("task/run.sh", "b", files.read("task/run.sh").version)
    assert (root / "task/run.sh").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize(
    "path",
    ["../secret", "task/../../secret", "/etc/passwd", "", "task//a", "task/.", "a\0b", "a\\b"],
)
def test_a_path_stays_in_the_exercises(root, path):
    for attempt in (Files(root).read, lambda path: Files(root).save(path, "x", "")):
        with pytest.raises(UserError, match="not inside the exercises"):
            attempt(path)


@pytest.mark.parametrize("path", ["task/link", "task/folder/secret"])
def test_links_are_not_followed(root, path):
    (root / "task/link").symlink_to("../../secret")
    (root / "task/folder").symlink_to("../..")
    files = Files(root)
    for attempt in (lambda: files.read(path), lambda: files.save(path, "x", "")):
        with pytest.raises(UserError):
            attempt()
    assert (root.parent / "secret").read_text() == "secret"
    assert files.list_files("task") == []
    assert files.list_files("task/folder") == []


def test_what_is_no_text_is_not_opened(root):
    folder = root / "task"
    (folder / "binary").write_bytes(b"\x7fELF\0")
    (folder / "latin").write_bytes(b"caf\xe9")
    with (folder / "large").open("wb") as file:
        file.truncate(50_000_000)
    os.mkfifo(folder / "fifo")
    for name, found in (
        ("binary", "not UTF-8 text"),
        ("latin", "not UTF-8 text"),
        ("large", "50.0 MB"),
        ("fifo", "not a regular file"),
        ("", "not inside"),
    ):
        with pytest.raises(UserError, match=found):
            Files(root).read(f"task/{name}")
    with pytest.raises(UserError, match="a folder"):
        Files(root).read("task")


def test_a_file_that_changed_meanwhile_is_not_replaced(root):
    files = Files(root)
    mine = files.save("task/a", "1", "")
    (root / "task/a").write_text("2")
    with pytest.raises(Conflict) as conflict:
        files.save("task/a", "3", mine.version)
    assert conflict.value.found == files.read("task/a")
    assert (root / "task/a").read_text() == "2"
    # The same text is no conflict, nor is one that this page has sent just before.
    files.save("task/a", "2", mine.version)
    files.save("task/a", "3", mine.version, before="2")
    assert (root / "task/a").read_text() == "3"


def test_a_full_disk_keeps_the_old_text(root, monkeypatch):
    files = Files(root)
    old = files.save("task/a", "old", "")

    def fail(_file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UserError, match=r"task/a: No space left on device\. "):
        files.save("task/a", "new", old.version)
    assert files.read("task/a") == old
    assert files.list_files("task") == ["task/a"]
