"""The parser refuses what BuildKit refuses; tests/differential compares the marks with BuildKit."""

from __future__ import annotations

import pytest
from differential.constructs import constructs

from workshop.analysis.dockerfile.parser import parse

CONSTRUCTS = constructs()


def test_each_construct_appears_once():
    texts = [text for _, text in CONSTRUCTS]
    assert len(set(texts)) == len(texts) > 1000


@pytest.mark.parametrize("mark", "+-")
def test_the_parser_refuses_what_buildkit_refuses(mark: str):
    texts = [text for found, text in CONSTRUCTS if found == mark]
    assert [text for text in texts if bool(parse(text).problems) != (mark == "-")] == []


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("FROM a\nCOPY --foo b c", 2, "COPY has no flag --foo"),
        ("FROM a\nCOPY --chown b c", 2, "the flag --chown needs a value"),
        ("FROM a\nCOPY --link=1 b c", 2, "the flag --link is true or false, not 1"),
        ("FROM a\nRUN --network=x b", 2, "--network is one of default, host, none, not x"),
        ("FROM a\nCOPY --from=b --from=c d e", 2, "the flag --from appears twice"),
        ("FROM a\nRUN --mount=type=x b", 2, "the type of a mount is one of bind, cache"),
        ("FROM a\nRUN --mount=target=/b,x=y c", 2, "a mount has no option named x"),
        ("FROM a\nRUN --mount=target=/ c", 2, "the target of a mount is a folder below /"),
        ("FROM a\nEXPOSE x", 2, "x is no port such as 8000, 8000/udp or 8000-8010"),
        ("FROM a\nSTOPSIGNAL x", 2, "there is no signal x"),
        ("FROM a\nHEALTHCHECK --interval=5 CMD b", 2, "--interval is a duration such as 5s, not 5"),
        ("FROM a\nHEALTHCHECK b", 2, "HEALTHCHECK is followed by CMD or NONE, not b"),
        ("FROM a\nCOPY b", 2, "COPY needs a source and a destination"),
        ("FROM A", 1, "A is no valid name of an image"),
        ("FROM --platform=x a", 1, "x is no platform such as linux/amd64"),
        ("FROM a\nCOPY --from=3 b c", 2, "there is no stage 3"),
        ("FROM a AS b\nCOPY --from=c d e\nFROM a AS c\nCOPY --from=b d e", 4, "in a circle"),
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, line: int, message: str):
    (problem,) = parse(text).problems
    assert problem.line == line
    assert message in problem.text


@pytest.mark.parametrize("base", ["a", "a/b:c", "localhost:5000/a", "a.b/c_d@sha256:" + "0" * 64])
def test_the_working_directory_of_an_image_is_unknown(base: str):
    assert parse(f"FROM {base}\nRUN --mount=type=cache a").problems == ()
    assert parse(f"FROM {base}\nWORKDIR /\nRUN --mount=type=cache a").problems != ()
    assert parse(f"FROM {base}\nWORKDIR /b\nRUN --mount=type=cache a").problems == ()


def test_invalid_values_in_a_stage_that_nothing_needs_are_no_problem():
    assert parse("FROM a AS b\nEXPOSE x\nFROM a").problems == ()
    assert parse("FROM a AS b\nEXPOSE x\nFROM b").problems != ()
    assert parse("FROM a AS b\nEXPOSE x\nFROM a\nCOPY --from=0 c d").problems != ()
    assert parse("FROM a AS b\nEXPOSE x\nFROM a\nRUN --mount=from=b,target=/c d").problems != ()
