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
from typing import NamedTuple

from workshop.grading import causes
from workshop.grading.causes import Cause, Line

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

    def lines(self) -> list[Line]:
        """Return the lines of the broken Dockerfile or compose file, without a parser."""
        file = self.broken.get("docker-compose.yml") or self.broken.get("Dockerfile", "")
        return [Line(number, line) for number, line in enumerate(file.splitlines(), 1)]


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
