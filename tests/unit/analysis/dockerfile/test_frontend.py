"""The syntax directive is found wherever BuildKit looks for it, and removed in place."""

from __future__ import annotations

import pytest

from workshop.analysis.dockerfile.frontend import find_syntax, is_official, without_syntax
from workshop.analysis.dockerfile.parser import parse

FOUND = [
    "# syntax=x/y:1\nFROM a",
    "#syntax = x/y:1\nFROM a",
    "#SYNTAX=x/y:1 --and arguments\r\nFROM a",
    "\ufeff# syntax=x/y:1\nFROM a",
    "#!/usr/bin/env docker\n# syntax=x/y:1\nFROM a",
    "# escape=`\n# syntax=x/y:1\nFROM a",
    "# check=skip=all\n# syntax=x/y:1",
    "// syntax=x/y:1\nFROM a",
    '{"syntax": "x/y:1"}',
    '#!/usr/bin/env docker\n{"other": 1, "syntax": "x/y:1"}',
]
NOT_FOUND = [
    "",
    "FROM a",
    "FROM a\n# syntax=x/y:1",
    "\n# syntax=x/y:1",
    "# a comment\n# syntax=x/y:1\nFROM a",
    "# escape=`\nFROM a",
    '{"syntax": 1}',
    '["syntax"]',
]


@pytest.mark.parametrize("text", FOUND)
def test_the_directive_is_found(text):
    assert find_syntax(text) == "x/y:1"


@pytest.mark.parametrize("text", NOT_FOUND)
def test_other_text_has_no_directive(text):
    assert find_syntax(text) == ""


@pytest.mark.parametrize("text", [text for text in FOUND if "{" not in text])
def test_the_directive_is_removed(text):
    after = without_syntax(text)
    assert find_syntax(after) == ""
    assert after.count("\n") == text.count("\n")
    assert ("FROM a" in after) is ("FROM a" in text)


@pytest.mark.parametrize("text", NOT_FOUND)
def test_other_text_stays(text):
    assert without_syntax(text) == text


def test_an_escape_directive_below_is_kept():
    after = without_syntax("# syntax=x\n# escape=`\nFROM a\nRUN b `\n  c\n")
    assert parse(after).escape == "`"
    assert parse(after).stages[0].instructions[0].line == 4


@pytest.mark.parametrize(
    ("syntax", "official"),
    [
        ("docker/dockerfile", True),
        ("docker/dockerfile:1.7", True),
        ("docker.io/docker/dockerfile:1", True),
        ("docker/dockerfile:1@sha256:" + "0" * 64, True),
        ("docker/dockerfile-upstream:master", True),
        ("docker/dockerfile2", False),
        ("127.0.0.1:5000/docker/dockerfile:1", False),
        ("example/dockerfile", False),
    ],
)
def test_only_docker_s_own_frontend_is_official(syntax, official):
    assert is_official(syntax) is official
