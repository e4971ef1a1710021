"""Compare the time of a check with the minimum work it has to do. Run with `make bench-check`.

1. A full check of task 2 with a warm cache, and a script that builds, runs, requests, stops and
   removes the same image. Limit: 1.3 times.
2. The whole process of `check --static`, and hadolint on the same file. Limit: 3 times.

The two of a pair alternate, so that load on the machine affects both. The figures are medians.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
TASK, FILE = "task-2", "Dockerfile-task-2"
ROUNDS = int(os.environ.get("ROUNDS", "9"))

BARE = """
set -e
docker build --quiet --tag workshop-bare --file {file} {folder} >/dev/null
docker run --detach --name workshop-bare --publish 127.0.0.1::8000 workshop-bare >/dev/null
at=$(docker port workshop-bare 8000)
until curl --silent --fail http://$at/ >/dev/null; do sleep 0.02; done
docker stop workshop-bare >/dev/null
docker rm --volumes workshop-bare >/dev/null
docker image rm workshop-bare >/dev/null
"""


def seconds(*argv: str, good: tuple[int, ...] = (0,)) -> float:
    """Return the run time of a program in seconds; exit if its exit code is not in `good`."""
    start = time.perf_counter()
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    took = time.perf_counter() - start
    if done.returncode not in good:
        sys.exit(f"{' '.join(argv)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return took


def compare(title: str, ours: tuple[str, ...], theirs: tuple[str, ...], limit: float) -> None:
    """Run both commands in turn, and print the ratio of the medians."""
    seconds(*ours), seconds(*theirs)
    pairs = [(seconds(*ours), seconds(*theirs)) for _ in range(ROUNDS)]
    mine, other = (statistics.median(side) for side in zip(*pairs, strict=True))
    sys.stdout.write(
        f"{title}: {mine:.3f} s / {other:.3f} s = {mine / other:.2f} (limit {limit})\n"
    )


def main() -> None:
    """Set up the reference solution, and compare."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "learner"
        subprocess.run((BIN / "workshop", "start", TASK, folder), check=True, capture_output=True)
        (folder / FILE).write_bytes((ROOT / "services/fastapi" / FILE).read_bytes())
        check = (str(BIN / "workshop"), "check", TASK, str(folder))
        bare = ("sh", "-c", BARE.format(file=folder / FILE, folder=folder))
        hadolint = (str(BIN / "hadolint"), str(folder / FILE))
        compare("check --static / hadolint", (*check, "--static"), hadolint, 3)
        compare("check / bare script", check, bare, 1.3)


if __name__ == "__main__":
    main()
