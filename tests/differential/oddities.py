"""Where dockerfile-ast reads a Dockerfile otherwise than a real build does.

Each of them is shown to the real engine in test_build_steps.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Oddity:
    """Arguments that fit `pattern` are read wrongly, and `reason` says how.

    Without a pattern, no Dockerfile that is made up has it: all below it would be read otherwise.
    `proof` is a Dockerfile whose image has `value` at `setting`, which our parser says too.
    """

    pattern: str
    reason: str
    proof: str
    setting: str
    value: list[str]


ODDITIES = (
    Oddity(
        pattern=r"^\[.*\].*[^\]\s]$",
        reason="what follows the bracket makes it shell form",
        proof='FROM scratch\nCMD [ "a" ] x\n',
        setting="Cmd",
        value=["/bin/sh", "-c", '[ "a" ] x'],
    ),
    Oddity(
        pattern="",
        reason="a doubled escape at the end of a line is an escaped escape, and continues nothing",
        proof="FROM scratch\nENV A=b\\\\\nCMD x\n",
        setting="Cmd",
        value=["/bin/sh", "-c", "x"],
    ),
)
