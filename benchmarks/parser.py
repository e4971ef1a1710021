"""Compare the speed of the Dockerfile parser with hadolint, on the same files.

The parser reads file by file in one process, including the final stage's configuration. hadolint
gets all files in one call, and lints them too. The two alternate; times are wall-clock times.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from differential.generator import dockerfile  # noqa: E402 - tests are not a package

from workshop.analysis.dockerfile.effective import effective  # noqa: E402
from workshop.analysis.dockerfile.parser import parse  # noqa: E402

LINES = 30
LIMIT = 0.1
BIG = 5_000_000
BIG_LIMIT = 2.0
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


def hadolint(folder: Path, program: str) -> float:
    """Return the seconds that one hadolint call takes for all files in the folder."""
    argv = [program, "--no-fail", "--format", "json", *sorted(map(str, folder.iterdir()))]
    start = time.perf_counter()
    subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - start


def spread(seconds: list[float]) -> str:
    """Format the median, minimum and maximum."""
    return f"{statistics.median(seconds):.3f} s ({min(seconds):.3f}-{max(seconds):.3f})"


def compare(count: int, rounds: int, program: str) -> list[str]:
    """Run both in turn on the same files; return the lines of the table."""
    texts = [typical_dockerfile(seed) for seed in range(count)]
    ours, theirs = [], []
    with tempfile.TemporaryDirectory(prefix="workshop-benchmark-") as name:
        folder = Path(name)
        for number, text in enumerate(texts):
            (folder / f"{number:05}.Dockerfile").write_bytes(text.encode())
        for _ in range(rounds):
            ours.append(read_all(texts))
            theirs.append(hadolint(folder, program))
    ratio = statistics.median(ours) / statistics.median(theirs)
    each = statistics.median(ours) / len(texts) * 1000
    return [
        f"{len(texts)} files of {LINES} lines, rounds: {rounds}, {os.cpu_count()} cores",
        f"  parser    {spread(ours)}, {each:.2f} ms a file",
        f"  hadolint  {spread(theirs)}",
        f"  ratio     {ratio:.3f}, at most {LIMIT} {'kept' if ratio <= LIMIT else 'MISSED'}",
    ]


def big() -> list[str]:
    """Measure 5 MB and 2.5 MB of each kind of text; a ratio of 2 means linear time."""
    mixed = "".join(typical_dockerfile(seed) + dockerfile(seed) + "\n" for seed in range(500))
    lines = [f"{BIG / 1e6:.0f} MB in one file, at most {BIG_LIMIT} s"]
    for name, line in {"mixed files": mixed, **NASTY}.items():
        halves = [
            read_all(["FROM s AS s\n" + line * (size // len(line))]) for size in (BIG // 2, BIG)
        ]
        verdict = "kept" if halves[1] <= BIG_LIMIT else "MISSED"
        lines.append(f"  {name:20} {halves[1]:.2f} s, half the size {halves[0]:.2f} s  {verdict}")
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    found = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if found is None:
        sys.exit("hadolint is missing: install the kit's environment")
    print("\n".join(compare(arguments.files, arguments.rounds, found) + big()))  # noqa: T201 - the result
