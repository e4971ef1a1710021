"""A learner's form: answers in different notations, and invalid content."""

from __future__ import annotations

import pytest

from workshop.analysis.answer_sheet import read
from workshop.model import Failed

KEYS = ("folder", "files", "there")


def form(text: str):
    return read("form.toml", text, KEYS)


def failed(text: str, key: str, method: str) -> Failed:
    with pytest.raises(Failed) as caught:
        getattr(form(text), method)(key)
    assert caught.value.file == "form.toml"
    return caught.value


@pytest.mark.parametrize(
    "value", ["true", '"yes"', '"Yes."', '"TRUE"', "1", '"y"', '"still there"']
)
def test_true_has_several_notations(value):
    assert form(f"there = {value}").get_bool("there")


@pytest.mark.parametrize("value", ["false", '"no"', '"No!"', "0", '"gone"'])
def test_false_has_several_notations(value):
    assert not form(f"there = {value}").get_bool("there")


@pytest.mark.parametrize("value", ['"maybe"', "[true]", "2", "{a = 1}", "1979-05-27"])
def test_other_values_are_not_boolean(value):
    assert failed(f"\nthere = {value}", "there", "get_bool").line == 2


@pytest.mark.parametrize("value", ['["a", "b "]', '"a\\nb"', '"""\n a\n\nb\n"""'])
def test_several_strings_are_a_list_or_lines(value):
    assert form(f"files = {value}").get_strings("files") == ["a", "b"]


@pytest.mark.parametrize("value", ['""', '"?"', '" ? "'])
@pytest.mark.parametrize("method", ["get_string", "get_strings", "get_bool"])
def test_a_placeholder_of_the_template_is_not_an_answer(method, value):
    assert "not filled in" in failed(f"folder = {value}", "folder", method).actual


def test_a_missing_key_is_reported():
    assert failed('folder = "/"', "there", "get_bool").actual == "there is missing"


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
def test_invalid_toml_is_reported_with_its_line(text, line):
    with pytest.raises(Failed) as caught:
        form(text)
    assert (caught.value.line, caught.value.file) == (line, "form.toml")


def test_a_mistyped_key_is_reported_with_the_closest_one():
    with pytest.raises(Failed) as caught:
        form('there = true\nfolde = "/"\n')
    assert (caught.value.line, caught.value.expected) == (2, "folder")


def test_windows_line_ends_and_byte_order_mark_are_ignored():
    assert form('\ufefffolder = "/a"\r\nthere = true\r\n').get_string("folder") == "/a"


def test_control_and_direction_characters_are_removed():
    assert form('folder = "\\u001b[31m/a\\u202e"').get_string("folder") == "/a"
