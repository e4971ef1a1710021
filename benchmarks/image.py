"""Compare `workshop image` with `docker save | cat`. Run with `make bench-image`.

Each round reads the same image in every way, one after the other, and every other round in reverse
order, so that load on the machine affects all. `workshop image` starts with an empty cache each
time: it reads every byte of the archive. The reader alone, fed by the same `docker save`, is
measured too, without and with the digests of large files, which a difference of two images needs.
The figures are medians. Limit: 1.5 times.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 1.5
READER = """
import sys
from workshop.analysis.image.docker_save import read
from workshop.analysis.image.limits import MAX_BYTES
options = {"digest_size": MAX_BYTES} if "--whole" in sys.argv else {}
read(sys.stdin.buffer, **options).tree
"""


class Way(NamedTuple):
    """One way to read an image: the shell command, and its limit; 0 if it has none."""

    name: str
    command: str
    limit: float = 0.0


def ways(image: str) -> tuple[Way, ...]:
    """Return the ways to read an image; the others are compared with the first."""
    python = f"'{sys.executable}'"
    read = f"docker save '{image}' | {python} -c '{READER}'"
    return (
        Way("docker save | cat", f"docker save '{image}' | cat > /dev/null"),
        Way("workshop image", f"{python} -m workshop image '{image}' > /dev/null", LIMIT),
        Way("docker save | reader", read, LIMIT),
        Way("the same, all digests", f"{read} --whole"),
    )


def measure(way: Way) -> float:
    """Return the seconds of a command with an empty cache; exit if it fails."""
    with tempfile.TemporaryDirectory() as cache:
        env = {**os.environ, "XDG_CACHE_HOME": cache}
        start = time.perf_counter()
        done = subprocess.run(
            ("sh", "-c", way.command),
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{way.command}: exit code {done.returncode}\n{done.stderr}")
    return seconds


def measure_all(every: tuple[Way, ...], *, is_reversed: bool) -> list[float]:
    """Return the seconds of each way, measured in this order or in reverse."""
    order = every[::-1] if is_reversed else every
    seconds = {way: measure(way) for way in order}
    return [seconds[way] for way in every]


def main() -> None:
    """Measure every image, and print the medians and their ratio to the first way's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each way is measured")
    parser.add_argument("--image", action="append", help="an image to read; may be repeated")
    options = parser.parse_args()
    for image in options.image or ["base-image-fastapi-ubuntu-fat:test", "base-image-fastapi:dev"]:
        every = ways(image)
        rounds = [measure_all(every, is_reversed=bool(n % 2)) for n in range(options.rounds)]
        sys.stdout.write(f"{image}, load {os.getloadavg()[0]:.1f}\n")
        floor = [times[0] for times in rounds]
        for number, way in enumerate(every):
            times = [one[number] for one in rounds]
            # Of each round by itself: the load changes between rounds.
            ratio = statistics.median(t / f for t, f in zip(times, floor, strict=True))
            median, least, most = statistics.median(times), min(times), max(times)
            verdict = "kept" if ratio <= way.limit else "EXCEEDED"
            limit = f"  at most {way.limit}: {verdict}" if way.limit else ""
            line = f"  {way.name:<22} {median:6.2f} s ({least:.2f}-{most:.2f})"
            sys.stdout.write(f"{line}  {ratio:5.2f}{limit}\n")


if __name__ == "__main__":
    main()
