"""Examples of causes: the smallest files that show each of them, and the fixed ones.

`STAGE.toml` has the examples of a stage, in the order of the table of causes:

    [[example]]
    cause = "unknown-instruction"
    outputs = ["..."]            # what real programs print, shortened
    run = "build"                # how the engine test shows it, see RUNS; by default that of STAGE
    not_run = "..."              # or the reason why the engine test leaves it out
    broken.Dockerfile = "..."    # the files, by name
    fixed.Dockerfile = "..."     # those that change
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis.source import Source
from workshop.grading import causes, clues
from workshop.model import Recipe, Task

if TYPE_CHECKING:
    from workshop.grading.causes import Cause

HERE = Path(__file__).parent
# How an example is shown: `build` builds an image, `run` also runs it until it ends, `serve` sends
# requests to it; the others are commands of docker compose.
RUNS = {
    "dockerfile": "build",
    "build": "build",
    "start": "run",
    "request": "serve",
    "stop": "serve",
    "compose": "config --quiet",
}


class Example(NamedTuple):
    """The broken and the fixed files of a cause, and outputs that show it."""

    cause: Cause
    outputs: tuple[str, ...]
    broken: dict[str, str]
    fixed: dict[str, str]
    run: str
    not_run: str = ""

    def lay_out(self, folder: Path, *, fixed: bool) -> None:
        """Write the files into an empty folder. Those whose name ends in .sh can be run."""
        for name, text in {**self.broken, **(self.fixed if fixed else {})}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            # As written: an example may have Windows line endings.
            path.write_bytes(text.encode())

    @property
    def task(self) -> Task:
        """A task without a starter, whose answer is the example."""
        compose = "docker-compose.yml" if "docker-compose.yml" in self.broken else ""
        return Task(
            "example",
            self.cause.title,
            "a/lesson",
            folder="tests/causes",
            answer=(compose or "Dockerfile",),
            recipes=() if compose else (Recipe(port=8000 if self.run == "serve" else 0),),
            checks=(),
            withheld=("*",),
            compose=compose,
        )


def diagnose(example: Example, folder: Path, output: str) -> causes.Diagnosis | None:
    """Find the cause of an output, with the broken files in an empty folder."""
    example.lay_out(folder, fixed=False)
    source = Source(example.task, folder)
    found = clues.find_clues(source, output, _blamed_line(example))
    return causes.diagnose("\n".join([output, *found]), clues.instructions(source))


def _blamed_line(example: Example) -> int | None:
    """Return the line that BuildKit blames: here, the last RUN or COPY that reads no stage."""
    lines = example.broken.get("Dockerfile", "").splitlines()
    steps = [n for n, line in enumerate(lines, 1) if line.startswith(("RUN", "COPY"))]
    return steps[-1] if steps else None


def examples() -> list[Example]:
    """Return the examples of every stage."""
    table = {cause.id: cause for cause in causes.table()}
    return [
        Example(
            table[row["cause"]],
            tuple(row["outputs"]),
            row.get("broken", {}),
            row.get("fixed", {}),
            row.get("run", RUNS[stage]),
            row.get("not_run", ""),
        )
        for stage in causes.STAGES
        for row in tomllib.loads((HERE / f"{stage}.toml").read_text(encoding="utf-8"))["example"]
    ]
