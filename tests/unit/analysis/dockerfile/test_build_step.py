from __future__ import annotations

import pytest

from workshop.analysis.dockerfile.build_step import find_line
from workshop.analysis.dockerfile.parser import parse

DOCKERFILE = parse(
    b"""FROM debian AS builder
ENV A=1
WORKDIR /app
RUN first
FROM debian
LABEL b=1
COPY . .
RUN second \\
    third
"""
)


@pytest.mark.parametrize(
    ("step", "line"),
    [
        ("[builder 2/3] WORKDIR /app", 3),
        ("[builder 3/3] RUN first", 4),
        ("[stage-1 2/3] COPY . .", 7),
        ("[stage-1 3/3] RUN second     third", 8),
        ("[2/3] COPY . .", 7),
        # Of ten steps or more, BuildKit aligns the numbers.
        ("[ 2/10] COPY . .", 7),
        ("[builder  2/10] WORKDIR /app", 3),
        ("[builder 1/3] FROM debian", None),
        ("[builder 9/9] RUN first", None),
        ("[other 2/3] RUN first", None),
        ("[stage-7 2/3] RUN first", None),
        ("[internal] load build definition", None),
        ("", None),
    ],
)
def test_a_step_has_the_line_of_its_instruction(step: str, line: int | None):
    assert find_line(DOCKERFILE, f"{step}\nE: it failed\n") == line
