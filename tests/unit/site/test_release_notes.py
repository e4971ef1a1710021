"""The notes of a release are the changelog's section of its version."""

from __future__ import annotations

import tomllib

import pytest
from harness import ROOT

from workshop.core.errors import UserError
from workshop.site.release_notes import UNRELEASED, main, release_notes, sections

CHANGELOG = """# Changelog

An introduction.

## Unreleased

- To come.

## 1.2.0 (2026-12-01)

### For learners

- New.

## 1.1.0 (2026-10-01)

- Old.
"""
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
OURS = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_notes_are_the_section_of_the_version():
    notes = release_notes(CHANGELOG, "v1.2.0", "1.2.0")
    assert notes == "### For learners\n\n- New.\n"


def test_a_pre_release_has_what_is_not_released():
    assert release_notes(CHANGELOG, "v1.3.0-rc.1", "1.3.0") == "- To come.\n"


@pytest.mark.parametrize("tag", ["1.2.0", "v1.2", "v1.2.0rc1", "main", "v1.2.0; id", ""])
def test_a_tag_that_is_no_version_is_an_error(tag):
    with pytest.raises(UserError, match="it is not a version"):
        release_notes(CHANGELOG, tag, "1.2.0")


def test_a_tag_of_another_version_than_the_kit_is_an_error():
    with pytest.raises(UserError, match=r"^tag v1\.2\.0: the version in pyproject.toml is 1\.1\.0"):
        release_notes(CHANGELOG, "v1.2.0", "1.1.0")


@pytest.mark.parametrize("text", [CHANGELOG, CHANGELOG + "\n## 1.3.0 (2027-01-01)\n\n"])
def test_a_version_without_a_description_is_an_error(text):
    message = r"^CHANGELOG\.md: nothing under '## 1\.3\.0', only Unreleased, 1\.2\.0, 1\.1\.0\. "
    with pytest.raises(UserError, match=message):
        release_notes(text, "v1.3.0", "1.3.0")


def test_the_changelog_begins_with_the_next_version_or_this_one():
    assert next(iter(sections(OURS))) in {UNRELEASED, VERSION}


def test_the_changelog_names_who_each_change_is_for():
    for text in sections(OURS).values():
        assert text.startswith("### For ")


def test_the_notes_are_written_to_a_file(tmp_path):
    title, text = next(iter(sections(OURS).items()))
    tag = f"v{VERSION}-rc.1" if title == UNRELEASED else f"v{VERSION}"
    assert main([tag, "--out", str(tmp_path / "notes.md")]) == 0
    assert (tmp_path / "notes.md").read_text(encoding="utf-8") == text + "\n"


def test_an_error_is_one_line_and_exit_code_2(capsys):
    assert main(["v9.9.9"]) == 2
    assert capsys.readouterr().err.startswith(
        f"tag v9.9.9: the version in pyproject.toml is {VERSION}"
    )
