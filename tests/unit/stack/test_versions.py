"""versions.toml is read completely, or the error names the entry."""

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
gone = "no longer available"
"""


@pytest.fixture
def file(tmp_path):
    return tmp_path / "versions.toml"


def read_error(file) -> UserError:
    with pytest.raises(UserError) as caught:
        read(file)
    assert "\n" not in str(caught.value)
    return caught.value


def test_the_kits_file_is_valid():
    versions = read(REAL)
    assert versions.poetry.version.count(".") == 2
    assert len({base.image for base in versions.base}) == len(versions.base) > 0
    assert len({old.service for old in versions.original}) == len(versions.original) > 0


def test_every_stand_in_has_a_recipe_and_a_root():
    versions = read(REAL)
    roots = {base.suite for base in versions.base if base.recipe == "debian"}
    for base in versions.base:
        assert (ROOT / f"workshop/machine/standins/{base.recipe}.Dockerfile").is_file()
        assert base.suite in roots


def test_versions_are_immutable(file):
    file.write_text(SMALL, encoding="utf-8")
    with pytest.raises(ValidationError, match="frozen"):
        read(file).poetry.version = "1"


def test_windows_line_endings_are_accepted(file):
    file.write_bytes(SMALL.replace("\n", "\r\n").encode())
    versions = read(file)
    file.write_text(SMALL, encoding="utf-8", newline="\n")
    assert versions == read(file)


def test_a_missing_file_is_an_error(file):
    error = read_error(file)
    assert error.thing == "versions.toml"
    assert "No such file" in error.found
    assert error.fix == "Restore it with: git checkout versions.toml"


def test_invalid_toml_is_an_error_with_the_line(file):
    file.write_text(SMALL.replace("[standin]", "[standin"), encoding="utf-8")
    error = read_error(file)
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
        (
            'gone = "no longer available"',
            "arguments = [1]",
            "original.0.arguments: Input should be a valid dict",
        ),
    ],
)
def test_an_invalid_entry_is_an_error(old, new, found, file):
    assert old in SMALL
    file.write_text(SMALL.replace(old, new), encoding="utf-8")
    error = read_error(file)
    assert error.found.startswith(found)
    assert error.fix == "Fix that entry."


def test_invalid_utf8_is_an_error(file):
    file.write_bytes(SMALL.encode() + b"# caf\xe9\n")
    assert read_error(file).thing == "versions.toml"
