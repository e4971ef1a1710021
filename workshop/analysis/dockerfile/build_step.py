"""Finds the instruction that a step of BuildKit's output stands for.

BuildKit names a step `[STAGE NUMBER/COUNT] INSTRUCTION`: the stage's name, if the build has
several, and the number among the instructions of the stage that create files, from 1 for FROM.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workshop.analysis.dockerfile.parser import Dockerfile, Instruction, Stage

_STEP = re.compile(r"\[ *(?:(?P<stage>\S+) +)?(?P<number>\d{1,4})/\d+\] ")
_UNNAMED = re.compile(r"stage-(\d{1,4})")
# Without FROM, which is the first step.
_STEPS = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})


def find_line(parsed: Dockerfile, output: str) -> int | None:
    """Return the line of the instruction whose step begins the output; None if there is none.

    BuildKit prints the lines of a failed instruction itself, but not always: of two builds that
    share the step, only one gets them.
    """
    found = find_instruction(parsed, output)
    return found.line if found else None


def find_instruction(parsed: Dockerfile, output: str) -> Instruction | None:
    """Return the instruction whose step begins the output; None if there is none, or for FROM."""
    step = _STEP.match(output)
    if not step:
        return None
    stage = _find_stage(parsed, step["stage"] or "")
    steps = [one for one in stage.instructions if one.keyword in _STEPS] if stage else []
    number = int(step["number"]) - 2
    return steps[number] if 0 <= number < len(steps) else None


def _find_stage(parsed: Dockerfile, name: str) -> Stage | None:
    if unnamed := _UNNAMED.fullmatch(name):
        return parsed.find(unnamed[1])
    return parsed.find(name) if name else parsed.stages[-1]
