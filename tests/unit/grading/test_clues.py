from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from workshop.analysis.source import Source
from workshop.grading.causes import Line
from workshop.grading.clues import find_clues, instructions
from workshop.model import Recipe, Task

if TYPE_CHECKING:
    from pathlib import Path

TASK = Task(
    "example",
    "",
    "",
    folder="tests/causes",
    answer=("Dockerfile",),
    recipes=(Recipe(),),
    checks=(),
    withheld=("*",),
)
MISSING = 'step [2/2] COPY app.txt ./ failed: "/app.txt": not found'


def submit(folder: Path, dockerfile: str, *names: str) -> Source:
    (folder / "Dockerfile").write_text(dockerfile)
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    return Source(TASK, folder)


def test_a_missing_file_shows_what_the_folder_holds_the_nearest_name_first(tmp_path: Path):
    source = submit(tmp_path, "FROM a\nCOPY app.txt ./\n", "a.py", "app.tx", "b/c.py")
    assert find_clues(source, MISSING, 2) == [
        '"/app.txt": not found; the build context holds app.tx, a.py, b'
    ]


def test_a_long_folder_is_shortened(tmp_path: Path):
    source = submit(tmp_path, "FROM a\nCOPY app.txt ./\n", *"abcdefgh")
    assert find_clues(source, MISSING, 2)[0].endswith("holds a, b, c, d, e, f, ...")


def test_a_file_of_a_stage_is_not_looked_for_in_the_folder(tmp_path: Path):
    source = submit(tmp_path, "FROM a AS b\nFROM a\nCOPY --from=b app.txt ./\n", "a.py")
    assert find_clues(source, MISSING, 3) == []


def test_an_ignored_file_is_named(tmp_path: Path):
    source = submit(tmp_path, "FROM a\nCOPY app.txt ./\n", "app.txt")
    (tmp_path / ".dockerignore").write_text("*.txt\n")
    (clue,) = find_clues(source, MISSING, 2)
    assert clue.startswith('CopyIgnoredFile: Attempting to Copy file "app.txt"')


@pytest.mark.parametrize("name", ["models.py", "models/user.py", "src/models.py"])
def test_a_module_of_the_folder_is_named(tmp_path: Path, name: str):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    source = submit(tmp_path, "FROM a\n", name)
    output = "ModuleNotFoundError: No module named 'models'"
    assert find_clues(source, output, None) == ["the submission has a module named models"]
    assert find_clues(source, output.replace("models", "flask"), None) == []


@pytest.mark.parametrize(
    ("dockerfile", "undefined"),
    [
        ("ARG D=/app\nFROM a\nWORKDIR $D\n", True),
        ("ARG D=/app\nFROM a\nWORKDIR ${D}/x\n", True),
        ("ARG D=/app\nFROM a\nRUN ls $D\n", True),
        ("ARG D=/app\nFROM a\nARG D\nWORKDIR $D\n", False),
        ("ARG D=/app\nFROM a\nENV D=/x\nWORKDIR $D\n", False),
        ("ARG D=/app\nFROM a AS b\nARG D\nFROM b\nWORKDIR $D\n", False),
        ("ARG D=/app\nFROM a\nRUN D=1; ls $D\n", False),
        ("FROM a\nWORKDIR $D\n", False),
        ("ARG D=/app\nFROM a\nWORKDIR /app\n", False),
    ],
)
def test_an_argument_above_from_that_is_empty_below_it(tmp_path: Path, dockerfile, undefined):
    source = submit(tmp_path, dockerfile)
    last = len(dockerfile.splitlines())
    found = find_clues(source, "WORKDIR /", last)
    assert [clue.partition(":")[0] for clue in found] == ["UndefinedVar"] * undefined


def test_a_dockerfile_without_a_stage_has_no_clues(tmp_path: Path):
    source = submit(tmp_path, "RUN a\n")
    assert find_clues(source, MISSING, 1) == []
    assert instructions(source) == []


def test_an_instruction_has_its_continuation_and_its_heredoc(tmp_path: Path):
    dockerfile = "FROM a\nRUN <<EOF\nset -e\nEOF\nCMD a \\\n  b\n"
    assert instructions(submit(tmp_path, dockerfile)) == [
        Line(1, "FROM a"),
        Line(2, "RUN <<EOF\nset -e\n"),
        Line(5, "CMD a   b"),
    ]


def test_a_command_that_another_one_replaces_is_left_out(tmp_path: Path):
    found = instructions(submit(tmp_path, "FROM a\nCMD a\nFROM a\nCMD b\nCMD c\n"))
    assert [line.text for line in found] == ["FROM a", "FROM a", "CMD c"]


def test_many_variables_take_no_more_time_than_a_long_text(tmp_path: Path):
    names = [f"A{number}" for number in range(8_000)]
    text = "".join(f"ARG {name}\n" for name in names) + "FROM a\nRUN ls"
    source = submit(tmp_path, text + "".join(f" $A{number}" for number in range(8_000)))
    start = time.process_time()
    find_clues(source, "", 8_002)
    assert time.process_time() - start < 3
