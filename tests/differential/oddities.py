"""Where dockerfile-ast reads a Dockerfile otherwise than a real build does.

Each of them is shown to the real engine in test_build_steps.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Oddity:
    """What it reads wrongly, and why; no Dockerfile that is made up for the comparison has it.

    `proof` is a Dockerfile whose image has `value` at `setting`, which our parser says too.
    """

    reason: str
    proof: str
    setting: str
    value: list[str]


ODDITIES = (
    Oddity(
        reason="a doubled escape at the end of a line is an escaped escape, and continues nothing",
        proof="FROM scratch\nENV A=b\\\\\nCMD x\n",
        setting="Cmd",
        value=["/bin/sh", "-c", "x"],
    ),
)
