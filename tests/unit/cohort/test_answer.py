"""The files of an answer are read in bounds, and no other file is."""

from __future__ import annotations

import os

import pytest
from classroom import submission

from workshop.cohort import answer
from workshop.cohort.answer import AnswerFile


@pytest.fixture
def anna(tmp_path):
    return submission("anna", task="basic-python")._replace(folder=tmp_path)


def read(found) -> dict[str, AnswerFile]:
    return {file.name: file for file in answer.read(found)}


def test_the_files_of_the_task_come_first_and_ignore_files_after_them(anna):
    for name in ("Dockerfile", "requirements.txt", ".dockerignore", "Dockerfile.dockerignore"):
        (anna.folder / name).write_text(f"{name} \u00e9\n", encoding="utf-8")
    (anna.folder / "secret").write_text("x")
    assert answer.read(anna) == (
        AnswerFile("Dockerfile", "Dockerfile \u00e9\n"),
        AnswerFile("requirements.txt", "requirements.txt \u00e9\n"),
        AnswerFile(".dockerignore", ".dockerignore \u00e9\n"),
        AnswerFile("Dockerfile.dockerignore", "Dockerfile.dockerignore \u00e9\n"),
    )


def test_a_missing_file_of_the_task_says_so(anna):
    assert answer.read(anna) == (
        AnswerFile("Dockerfile", "", "missing"),
        AnswerFile("requirements.txt", "", "missing"),
    )


@pytest.mark.parametrize(
    ("make", "remark"),
    [
        (lambda path: path.symlink_to("/etc/hostname"), "a link, which is not followed"),
        (lambda path: path.mkdir(), "a folder"),
        (os.mkfifo, "not a regular file"),
        (lambda path: path.write_bytes(b"MZ\0\1" * 500), "a binary file of 2,000 bytes"),
    ],
)
def test_what_is_no_text_is_named_and_not_read(anna, make, remark):
    make(anna.folder / "Dockerfile")
    assert read(anna)["Dockerfile"] == AnswerFile("Dockerfile", "", remark)


def test_of_a_large_file_the_start_is_read(anna):
    (anna.folder / "Dockerfile").write_text("x" * 300_000)
    file = read(anna)["Dockerfile"]
    assert len(file.text) == answer.MAX_BYTES
    assert file.remark == "the first 64 of its 300 kB"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_text_of_a_windows_editor_can_be_read(anna, encoding):
    (anna.folder / "Dockerfile").write_text("FROM x", encoding=encoding)
    assert read(anna)["Dockerfile"].text == "FROM x"


def test_packed_files_are_small_and_stay_the_same():
    files = (AnswerFile("a", "FROM x\n" * 1000, "b"), AnswerFile("\udcff", "\0"))
    assert answer.unpack(answer.pack(files)) == files
    assert len(answer.pack(files)) < 200
