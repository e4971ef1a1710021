from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from workshop.analysis import source
from workshop.analysis.source import Source
from workshop.core.errors import UserError
from workshop.model import Failed, Recipe, Task

if TYPE_CHECKING:
    from pathlib import Path

TASK = Task("task-0", "t", "l", "folder", ("Dockerfile",), (Recipe(),), ())


@pytest.fixture
def folder(tmp_path: Path) -> Source:
    return Source(TASK, tmp_path)


def write(folder: Source, name: str, content: str | bytes) -> None:
    path = folder.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def refusal(folder: Source, name: str = "Dockerfile") -> Failed:
    with pytest.raises(Failed) as caught:
        folder.read(name)
    return caught.value


def test_a_missing_file_is_named(folder: Source):
    assert refusal(folder).actual == "no such file"
    assert refusal(folder).file == "Dockerfile"


@pytest.mark.parametrize("name", ["dockerfile", "DockerFile", "DOCKERFILE"])
def test_a_name_in_the_wrong_case_is_another_name(folder: Source, name: str):
    write(folder, name, "FROM scratch")
    found = refusal(folder)
    assert found.actual == f"a file called {name}, which is another name on Linux"
    assert found.hint == f"Rename {name} to Dockerfile."


@pytest.mark.parametrize(
    ("content", "actual"),
    [
        (b"", "Dockerfile is empty"),
        (b" \r\n\n", "Dockerfile is empty"),
        (b"\x7fELF\x00\x00", "Dockerfile holds bytes that are no text"),
        (b"#" * 5_000_000, "Dockerfile has 5.0 MB"),
    ],
)
def test_what_is_no_text_of_a_dockerfile_is_told(folder: Source, content: bytes, actual: str):
    write(folder, "Dockerfile", content)
    assert refusal(folder).actual == actual


def test_a_folder_and_a_pipe_and_a_link_are_no_files(folder: Source):
    (folder.folder / "Dockerfile").mkdir()
    os.mkfifo(folder.folder / "pipe")
    (folder.folder / "link").symlink_to("/etc/passwd")
    assert refusal(folder).actual == "Dockerfile is a folder"
    assert refusal(folder, "pipe").actual == "pipe is no ordinary file"
    assert refusal(folder, "link").actual == "link is a link"


def test_bytes_that_are_no_utf_8_are_read_all_the_same(folder: Source):
    write(folder, "Dockerfile", b"FROM scratch\n# caf\xe9\n")
    assert folder.read("Dockerfile").endswith("caf\ufffd\n")


def test_the_last_stage_is_what_counts(folder: Source):
    write(folder, "Dockerfile", "FROM a AS one\nUSER app\nFROM b\n")
    assert folder.final().base == "b"
    assert folder.final().user is None


def test_a_missing_target_is_told_with_those_that_are_there(folder: Source):
    write(folder, "Dockerfile", "FROM a AS one\nFROM b AS two\n")
    with pytest.raises(Failed) as caught:
        folder.final(Recipe(target="three"))
    assert caught.value.actual == "stages with a name: one, two"


def test_a_copy_from_a_stage_that_is_not_there_is_told(folder: Source):
    write(folder, "Dockerfile", "FROM a AS builder\nFROM b\nCOPY --from=bulder /x /x\n")
    with pytest.raises(Failed, match="--from=bulder, and the stages with a name are: builder"):
        folder.check_stage_names(folder.recipe)


@pytest.mark.parametrize("name", ["builder", "0", "nginx:1.27", "example.org/tools"])
def test_a_copy_from_a_stage_or_an_image_is_let_be(folder: Source, name: str):
    write(folder, "Dockerfile", f"FROM a AS builder\nFROM b\nCOPY --from={name} /x /x\n")
    folder.check_stage_names(folder.recipe)


def test_a_file_without_a_stage_is_told(folder: Source):
    write(folder, "Dockerfile", "# nothing yet\nRUN true\n")
    with pytest.raises(Failed, match="no FROM instruction"):
        folder.final()


@pytest.mark.parametrize(
    ("rules", "path", "ignored"),
    [
        (".env", ".env", True),
        (".env", "sub/.env", False),
        ("**/.env", "sub/deep/.env", True),
        ("**/.env", ".env", True),
        ("*.md", "README.md", True),
        ("*.md", "docs/README.md", False),
        ("docs", "docs/README.md", True),
        ("/docs/", "docs/README.md", True),
        ("./docs", "docs/a", True),
        ("*\n!app", "app/main.py", False),
        ("*\n!app", "tests/a.py", True),
        ("*\n!app\napp/secret", "app/secret", True),
        ("# .env", ".env", False),
        (".ENV", ".env", False),
        ("Dockerfile?", "Dockerfile2", True),
        ("[ab].txt", "a.txt", True),
        ("[", "[", True),
        ("**", "any/thing", True),
        (".venv", ".venv/lib/x.py", True),
        ("", ".env", False),
    ],
)
def test_ignore_files_are_read_as_docker_does(
    folder: Source, rules: str, path: str, *, ignored: bool
):
    write(folder, ".dockerignore", rules or "\n#\n")
    assert folder.ignores(path) is ignored


def test_an_ignore_file_named_after_the_dockerfile_goes_first(folder: Source):
    write(folder, ".dockerignore", "nothing\n")
    write(folder, "Dockerfile.dockerignore", ".env\n")
    assert folder.ignores(".env")


def test_without_an_ignore_file_nothing_is_ignored(folder: Source):
    assert not folder.ignores(".env")


def test_no_folder_is_told_with_the_word_that_makes_it(tmp_path: Path):
    with pytest.raises(UserError, match=r"there is no such folder\. Make it with: workshop start"):
        source.find(TASK, tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="it is a file"):
        source.find(TASK, tmp_path / "file")


def test_a_folder_behind_a_link_is_that_folder(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert source.find(TASK, tmp_path / "link").folder == (tmp_path / "real").resolve()
