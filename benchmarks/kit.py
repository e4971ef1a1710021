"""Runs a command of the kit as a process, and measures its time and its memory."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.rounds import run_program
from workshop.core.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# Prints the peak memory in KiB as the last line: that of the kit's process, not of its children.
_MEASURE = """
import resource, sys
from workshop.cli import main
code = main()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(code)
"""


@dataclass(frozen=True)
class Run:
    """The wall time in seconds, the peak memory in bytes, and the output of a command."""

    seconds: float
    memory: int
    output: str


def run_kit(
    *arguments: str | Path,
    env: Mapping[str, str] = os.environ,
    cwd: Path = ROOT,
    good: Sequence[int] = (0,),
) -> Run:
    """Run `workshop ARGUMENTS`; raise a `UserError` if its exit code is not in `good`."""
    argv = (sys.executable, "-c", _MEASURE, *arguments)
    around = {**env, "PYTHONPATH": str(ROOT)}
    name = f"workshop {' '.join(map(str, arguments))}"
    seconds, output = run_program(argv, name=name, good=good, cwd=cwd, env=around)
    *lines, memory = output.splitlines()
    return Run(seconds, int(memory) * 1024, "\n".join(lines))
