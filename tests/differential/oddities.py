"""Dockerfiles that dockerfile-ast parses differently from a real build.

test_build_steps.py builds each of them with the real engine.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Oddity:
    """A bug of dockerfile-ast; the generated Dockerfiles avoid it.

    `proof` is a Dockerfile whose image has `value` for `setting`, as the kit's parser says too.
    """

    reason: str
    proof: str
    setting: str
    value: list[str]


ODDITIES = (
    Oddity(
        reason="a doubled escape at the end of a line does not continue the line",
        proof="FROM scratch\nENV A=b\\\\\nCMD x\n",
        setting="Cmd",
        value=["/bin/sh", "-c", "x"],
    ),
)
