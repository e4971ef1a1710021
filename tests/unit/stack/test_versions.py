"""versions.toml is read whole, or the trouble names the entry."""

from __future__ import annotations

import pytest
from harness import ROOT
from pydantic import ValidationError

from workshop.core.errors import UserError
from workshop.stack.versions import read

REAL = ROOT / "versions.toml"
SMALL = """\
[poetry]
version = "2.5.1"

[standin]
pip = "pip==26.3"
mirror-plugin = "plugin==1"

[[base]]
image = "python:3.13-slim-trixie"
ends = 2029-10-31
recipe = "python"
suite = "trixie"

[[original]]
service = "greeter"
image = "python:3.10"
gone = "it is"
"""


@pytest.fixture
def file(tmp_path):
    return tmp_path / "versions.toml"


def refused(file) -> UserError:
    with pytest.raises(UserError) as caught:
        read(file)
    assert "\n" not in str(caught.value)
    return caught.value


def test_the_kits_own_file_is_read():
    versions = read(REAL)
    assert versions.poetry.version.count(".") == 2
    assert len({base.image for base in versions.base}) == len(versions.base) > 0
    assert len({one.service for one in versions.original}) == len(versions.original) > 0


def test_every_recipe_and_every_root_of_a_stand_in_is_there():
    versions = read(REAL)
    roots = {base.suite for base in versions.base if base.recipe == "debian"}
    for base in versions.base:
        assert (ROOT / f"workshop/machine/standins/{base.recipe}.Dockerfile").is_file()
        assert base.suite in roots


def test_what_was_read_cannot_be_changed(file):
    file.write_text(SMALL, encoding="utf-8")
    with pytest.raises(ValidationError, match="frozen"):
        read(file).poetry.version = "1"


def test_windows_line_endings_are_read_as_any(file):
    file.write_bytes(SMALL.replace("\n", "\r\n").encode())
    versions = read(file)
    file.write_text(SMALL, encoding="utf-8", newline="\n")
    assert versions == read(file)


def test_a_file_that_is_missing_is_named_with_a_cure(file):
    error = refused(file)
    assert error.thing == "versions.toml"
    assert "No such file" in error.found
    assert error.fix == "Restore it with: git checkout versions.toml"


def test_a_file_that_is_no_toml_is_named_with_the_line(file):
    file.write_text(SMALL.replace("[standin]", "[standin"), encoding="utf-8")
    error = refused(file)
    assert error.thing == "versions.toml"
    assert "line 4" in error.found


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('version = "2.5.1"', 'version = "2.5.1"\nextra = 1', "poetry.extra: Extra inputs"),
        ("[poetry]", "[poet]", "poetry: Field required"),
        ('version = "2.5.1"', "", "poetry.version: Field required"),
        ('version = "2.5.1"', "version = 2.5", "poetry.version: Input should be a valid string"),
        ("2029-10-31", '"some day"', "base.0.ends: Input should be a valid date"),
        ("mirror-plugin", "mirror", "standin.mirror-plugin: Field required"),
        ('gone = "it is"', "arguments = [1]", "original.0.arguments: Input should be a valid dict"),
    ],
)
def test_an_entry_that_is_not_as_it_should_be_is_named(old, new, found, file):
    assert old in SMALL
    file.write_text(SMALL.replace(old, new), encoding="utf-8")
    error = refused(file)
    assert error.found.startswith(found)
    assert error.fix == "Mend that entry."


def test_a_file_that_is_not_utf8_is_trouble(file):
    file.write_bytes(SMALL.encode() + b"# caf\xe9\n")
    assert refused(file).thing == "versions.toml"
