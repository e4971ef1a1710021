"""A learner's form: answers the way people write them, and whatever else may stand there."""

from __future__ import annotations

import pytest

from workshop.analysis.answer_sheet import read
from workshop.model import Failed

KEYS = ("folder", "files", "there")


def form(text: str):
    return read("form.toml", text, KEYS)


def failed(text: str, key: str, kind: str) -> Failed:
    with pytest.raises(Failed) as told:
        getattr(form(text), kind)(key)
    assert told.value.file == "form.toml"
    return told.value


@pytest.mark.parametrize("said", ["true", '"yes"', '"Yes."', '"TRUE"', "1", '"y"', '"still there"'])
def test_yes_can_be_said_in_many_ways(said):
    assert form(f"there = {said}").truth("there")


@pytest.mark.parametrize("said", ["false", '"no"', '"No!"', "0", '"gone"'])
def test_no_can_be_said_in_many_ways(said):
    assert not form(f"there = {said}").truth("there")


@pytest.mark.parametrize("said", ['"maybe"', "[true]", "2", "{a = 1}", "1979-05-27"])
def test_anything_else_is_neither(said):
    assert failed(f"\nthere = {said}", "there", "truth").line == 2


@pytest.mark.parametrize("said", ['["a", "b "]', '"a\\nb"', '"""\n a\n\nb\n"""'])
def test_several_texts_are_a_list_or_lines(said):
    assert form(f"files = {said}").words("files") == ["a", "b"]


@pytest.mark.parametrize("said", ['""', '"?"', '" ? "'])
@pytest.mark.parametrize("kind", ["word", "words", "truth"])
def test_what_the_template_has_is_no_answer(kind, said):
    assert "not filled in" in failed(f"folder = {said}", "folder", kind).actual


def test_a_missing_key_is_told():
    assert failed('folder = "/"', "there", "truth").actual == "there is no there"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('folder = "/"\nthere = yes\n', 2),
        ('folder = "/\n', 1),
        ('\n\nfiles = """\na\n', 4),
        ('folder = "a"\nfolder = "b"\n', 2),
        ("[" * 100_000, 1),
        ("there = " + "[" * 100_000, 1),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(text, line):
    with pytest.raises(Failed) as told:
        form(text)
    assert (told.value.line, told.value.file) == (line, "form.toml")


def test_a_mistyped_key_is_told_with_the_right_one():
    with pytest.raises(Failed) as told:
        form('there = true\nfolde = "/"\n')
    assert (told.value.line, told.value.expected) == (2, "folder")


def test_line_ends_and_a_mark_of_windows_are_no_part_of_an_answer():
    assert form('\ufefffolder = "/a"\r\nthere = true\r\n').word("folder") == "/a"


def test_colours_and_directions_of_writing_are_not_shown():
    assert form('folder = "\\u001b[31m/a\\u202e"').word("folder") == "/a"
