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
def submission(tmp_path: Path) -> Source:
    return Source(TASK, tmp_path)


def write(submission: Source, name: str, content: str | bytes) -> None:
    path = submission.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def read_failure(submission: Source, name: str = "Dockerfile") -> Failed:
    with pytest.raises(Failed) as caught:
        submission.read(name)
    return caught.value


def test_a_missing_file_is_reported(submission: Source):
    assert read_failure(submission).actual == "no such file; the folder is empty"
    assert read_failure(submission).file == "Dockerfile"


def test_a_missing_file_is_reported_with_what_is_there_and_the_command(submission: Source):
    for name in ("app/main.py", ".venv/x", *(f"f{number}" for number in range(9))):
        write(submission, name, "x")
    found = read_failure(submission)
    assert found.actual == "no such file; the folder has app, f0, f1, f2, f3, f4 and 4 more"
    assert found.hint == (
        f"Create Dockerfile in {submission.folder}; workshop start task-0 copies the files beside "
        "it."
    )


@pytest.mark.parametrize("name", ["dockerfile", "DockerFile", "DOCKERFILE"])
def test_a_name_in_the_wrong_case_is_reported(submission: Source, name: str):
    write(submission, name, "FROM scratch")
    found = read_failure(submission)
    assert found.actual == f"{name}, which is a different name on Linux"
    assert found.hint == f"Rename {name} to Dockerfile."


@pytest.mark.parametrize(
    ("content", "actual"),
    [
        (b"", "Dockerfile is empty"),
        (b" \r\n\n", "Dockerfile is empty"),
        (b"\x7fELF\x00\x00", "Dockerfile is a binary file"),
        (b"#" * 5_000_000, "Dockerfile has 5.0 MB"),
    ],
)
def test_content_that_is_not_text_is_reported(submission: Source, content: bytes, actual: str):
    write(submission, "Dockerfile", content)
    assert read_failure(submission).actual == actual


def test_a_folder_a_pipe_or_a_link_is_reported(submission: Source):
    (submission.folder / "Dockerfile").mkdir()
    os.mkfifo(submission.folder / "pipe")
    (submission.folder / "link").symlink_to("/etc/passwd")
    assert read_failure(submission).actual == "Dockerfile is a folder"
    assert read_failure(submission, "pipe").actual == "pipe is not a regular file"
    assert read_failure(submission, "link").actual == "link is a link"


def test_invalid_utf_8_is_replaced(submission: Source):
    write(submission, "Dockerfile", b"FROM scratch\n# caf\xe9\n")
    assert submission.read("Dockerfile").endswith("caf\ufffd\n")


def test_the_last_stage_is_the_effective_one(submission: Source):
    write(submission, "Dockerfile", "FROM a AS one\nUSER app\nFROM b\n")
    assert submission.final().base == "b"
    assert submission.final().user is None


def test_a_missing_target_is_reported_with_the_existing_stages(submission: Source):
    write(submission, "Dockerfile", "FROM a AS one\nFROM b AS two\n")
    with pytest.raises(Failed) as caught:
        submission.final(Recipe(target="three"))
    assert caught.value.actual == "named stages: one, two"


@pytest.mark.parametrize(
    ("stages", "hint", "line"),
    [
        ("FROM a AS prod\nFROM b AS test\n", "Rename the stage prod to production.", 1),
        ("FROM a AS test\nFROM b AS prodution\n", "Rename the stage prodution to production.", 2),
        ("FROM a AS test\n", "Add FROM ... AS production.", None),
    ],
)
def test_a_missing_target_has_a_hint(submission: Source, stages: str, hint: str, line: int | None):
    write(submission, "Dockerfile", stages)
    with pytest.raises(Failed) as caught:
        submission.final(Recipe(target="production"))
    assert (caught.value.hint, caught.value.line) == (hint, line)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("dockerfile", "Rename dockerfile to Dockerfile."),
        ("Dockerfile.txt", "Rename Dockerfile.txt to Dockerfile."),
        ("deeper/Dockerfile", "Move the files of deeper one folder up, or check that folder."),
    ],
)
def test_a_misplaced_file_is_named(submission: Source, name: str, hint: str):
    (submission.folder / name).parent.mkdir(exist_ok=True)
    write(submission, name, "FROM a\n")
    with pytest.raises(Failed) as caught:
        submission.read("Dockerfile")
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("needed", "there"),
    [
        ("Dockerfile-nonroot", "Dockerfile"),
        ("docker-compose.yml", "docker-compose.yaml"),
        ("docker-compose.yml", "compose.yaml"),
        ("task-4.toml", "task-4.template.toml"),
    ],
)
def test_a_file_under_another_common_name_is_named(submission: Source, needed: str, there: str):
    write(submission, there, "x")
    found = read_failure(submission, needed)
    assert found.actual == f"{there}, which is a different name"
    assert found.hint == f"Rename {there} to {needed}."


def test_utf_16_is_named(submission: Source):
    (submission.folder / "Dockerfile").write_bytes("FROM a\n".encode("utf-16"))
    with pytest.raises(Failed, match="UTF-16") as caught:
        submission.read("Dockerfile")
    assert "UTF-8" in caught.value.hint


def test_a_copy_from_a_missing_stage_is_reported(submission: Source):
    write(submission, "Dockerfile", "FROM a AS builder\nFROM b\nCOPY --from=bulder /x /x\n")
    with pytest.raises(Failed, match="--from=bulder; named stages: builder"):
        submission.check_stage_names(submission.recipe)


@pytest.mark.parametrize("name", ["builder", "0", "nginx:1.27", "example.org/tools"])
def test_a_copy_from_a_stage_or_an_image_is_accepted(submission: Source, name: str):
    write(submission, "Dockerfile", f"FROM a AS builder\nFROM b\nCOPY --from={name} /x /x\n")
    submission.check_stage_names(submission.recipe)


def test_a_file_without_a_stage_is_reported(submission: Source):
    write(submission, "Dockerfile", "# nothing yet\nRUN true\n")
    with pytest.raises(Failed, match="no FROM instruction"):
        submission.final()


def test_an_ignore_file_named_after_the_dockerfile_takes_precedence(submission: Source):
    write(submission, ".dockerignore", "nothing\n")
    write(submission, "Dockerfile.dockerignore", ".env\n")
    assert submission.ignores(".env")


def test_without_an_ignore_file_nothing_is_ignored(submission: Source):
    assert not submission.ignores(".env")


def test_a_missing_folder_is_reported_with_the_command_that_creates_it(tmp_path: Path):
    with pytest.raises(
        UserError, match=r"there is no such folder\. Create it with: workshop start"
    ):
        source.find(TASK, tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="it is a file"):
        source.find(TASK, tmp_path / "file")


def test_a_link_to_a_folder_is_resolved(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert source.find(TASK, tmp_path / "link").folder == (tmp_path / "real").resolve()
