"""Compare the speed of the Dockerfile parser with hadolint, on the same files.

The parser reads file by file in one process, including the final stage's configuration. hadolint
gets all files in one call, and lints them too. Then the parser alone reads large files that would
take quadratic time in a careless parser.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from differential.generator import dockerfile

from benchmarks import command
from benchmarks.rounds import Case, run_program
from workshop.analysis.dockerfile.effective import effective
from workshop.analysis.dockerfile.parser import parse
from workshop.core.errors import UserError

if TYPE_CHECKING:
    from benchmarks.rounds import Rounds

FILES = 200
LINES = 30
BIG = 5_000_000  # characters
PIECES = (
    'ENV APP_HOME=/app-{0} \\\n    PYTHONUNBUFFERED=1 \\\n    NAME="app {0}"',
    "RUN apt-get update \\\n && apt-get install -y x={0} \\\n    # less\n && rm -r /var/lib/apt",
    "RUN --mount=type=cache,target=/root/.cache pip install app=={0}",
    "COPY --chown=app:app src/{0} ./src/",
    "COPY requirements.txt pyproject.toml /app/",
    "ARG VERSION={0}\nLABEL version=$VERSION",
    "EXPOSE 8000",
    "USER app",
    "HEALTHCHECK --interval=5s CMD curl --fail http://localhost:8000/{0}",
    "# one step {0}\n",
    'VOLUME ["/data/{0}"]',
    "FROM python:3.13-slim-trixie\nCOPY --from=base{0} /app /app",
)
NASTY = {
    "RUN lines": "RUN echo ${A:-x} && \\\n    # a comment\n    true\n",
    "one continued line": "    word \\\n",
    "ENV that grows": "ENV A=$A$A B=x\n",
    "stages": "FROM s AS s\nENV A=1\n",
    "open heredocs": "RUN <<EOF cat\n",
    "open braces": "ENV A=${A:-${A:-\n",
    "port ranges": "EXPOSE 1-65535\n",
}


def typical_dockerfile(seed: int) -> str:
    """Return a typical Dockerfile of `LINES` lines; hadolint cannot parse difficult ones."""
    rng = random.Random(seed)  # noqa: S311 - not a secret
    lines = ["# syntax=docker/dockerfile:1", "ARG TAG=3.13-slim-trixie"]
    lines += [f"FROM python:${{TAG}} AS base{seed}", "WORKDIR /app"]
    while len(lines) < LINES - 1:
        piece = rng.choice(PIECES).format(seed).splitlines()
        lines += piece if len(lines) + len(piece) < LINES else ["# goes on"]
    return "\n".join([*lines, 'CMD ["python", "-m", "app"]', ""])


def read_all(texts: list[str]) -> float:
    """Return the seconds that parsing all texts takes."""
    start = time.perf_counter()
    for text in texts:
        effective(parse(text))
    return time.perf_counter() - start


def hadolint() -> str:
    """Return the path of hadolint, which the kit's environment has."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    if program := shutil.which("hadolint", path=path):
        return program
    raise UserError("hadolint", "it is missing", "Install the kit's environment: make help")


def measure(rounds: Rounds) -> None:
    """Run both in turn on the same files, and then the parser on each kind of large file."""
    texts = [typical_dockerfile(seed) for seed in range(FILES)]
    with tempfile.TemporaryDirectory() as made:
        files = [Path(made, f"{number:05}.Dockerfile") for number in range(FILES)]
        for file, text in zip(files, texts, strict=True):
            file.write_text(text, encoding="utf-8")
        lint = (hadolint(), "--no-fail", "--format", "json", *files)
        name = f"{FILES} files of {LINES} lines"
        rounds.compare(
            [
                Case(name, "hadolint", lambda: {"files": run_program(lint)[0]}),
                Case(name, "parser", lambda: {"files": read_all(texts)}),
            ],
            share=0.5,
        )
    # The parser is warm already.
    cases = [Case(*case, partial(read_large, text)) for *case, text in large_files()]
    rounds.compare(cases, warm_up=False)


def large_files() -> list[tuple[str, str, str]]:
    """Return the subject, the side and the text of each large file."""
    mixed = "".join(typical_dockerfile(seed) + dockerfile(seed) + "\n" for seed in range(500))
    kinds = {"mixed files": mixed, **NASTY}.items()
    return [(kind, "parser", "FROM s AS s\n" + text * (BIG // len(text))) for kind, text in kinds]


def read_large(text: str) -> dict[str, float]:
    """Return the seconds that parsing one large file takes."""
    return {"large": read_all([text])}


if __name__ == "__main__":
    sys.exit(command.main("parser", measure))
