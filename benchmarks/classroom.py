"""Measure a class that starts at once: from a classroom, and from an upstream with a slow line.

    PYTHONPATH=tests python benchmarks/classroom.py PACK [--learners 30] [--upstream-mbit 50]

Each learner is a separate machine: a network namespace with an engine that has no image. All of
them at the same time

1. pull the base images, and prepare them (`workshop join`),
2. install the packages of degrees_api,
3. build degrees_api, with its Dockerfile unchanged.

Both sides run the same servers from the same pack. On the first side they are as fast as this
machine; on the second, tc limits what they send to `--upstream-mbit`, shared by all learners. PACK
needs degrees_api only: `workshop pack --service degrees_api`. Needs root.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from made_up_room import Classroom, classroom
from simulated_machines import NETWORK, Learner, Machine, Switch

ROOT = Path(__file__).resolve().parent.parent
MB = 1_000_000
MOST = 100
STEPS = ("pull", "install", "build")


@dataclass(frozen=True)
class Result:
    """What one learner needed for each step, in seconds, and the reason of a failure."""

    seconds: tuple[float, ...]
    failure: str = ""


def main() -> int:
    """Measure both sides, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("--learners", type=int, default=30)
    parser.add_argument("--upstream-mbit", type=int, default=50)
    options = parser.parse_args()
    if not 0 < options.learners <= MOST:
        sys.exit(f"--learners: not a number from 1 to {MOST}")
    steps = [f"{step} s" for step in STEPS]
    show(f"{options.learners} learners at once", "done", *steps, "all s", "MB")
    failed = 0
    for name, mbit in (
        ("classroom", 0),
        (f"{options.upstream_mbit} Mbit/s", options.upstream_mbit),
    ):
        failed += measure(name, options.pack.absolute(), options.learners, mbit)
    return 1 if failed else 0


def measure(name: str, pack: Path, count: int, mbit: int) -> int:
    """Print the line of one side, and return how many learners failed."""
    with tempfile.TemporaryDirectory(prefix="wc") as folder, contextlib.ExitStack() as stack:
        switch = stack.enter_context(Switch(Path(folder, "switch"), f"{NETWORK}.254"))
        server = stack.enter_context(Machine(Path(folder, "server"), f"{NETWORK}.1"))
        switch.connect(server)
        room = stack.enter_context(
            classroom(
                pack, server.folder / "room", host=server.address, inside=server.inside, seconds=600
            )
        )
        if mbit:
            limit = ("tbf", "rate", f"{mbit}mbit", "burst", "128kb", "latency", "400ms")
            server.run("tc", "qdisc", "add", "dev", "eth0", "root", *limit)
        learners = []
        for number in range(count):
            learner = Learner(
                Path(folder, str(number)), f"{NETWORK}.{number + 2}", subnet=f"10.215.{number}.1/24"
            )
            learners.append(stack.enter_context(learner))
            switch.connect(learner)
            prepare(learner)
            learner.start_engine()
        before, start = sent(server), time.monotonic()
        with ThreadPoolExecutor(count) as threads:
            results = [*threads.map(lambda learner: take_part(learner, room), learners)]
        seconds, size = time.monotonic() - start, sent(server) - before
    good = [result for result in results if not result.failure]
    steps = [f"{max((r.seconds[i] for r in good), default=0):.1f}" for i in range(len(STEPS))]
    show(name, f"{len(good)}/{count}", *steps, f"{seconds:.1f}", f"{size / MB:.0f}")
    for result in results:
        if result.failure:
            sys.stderr.write(f"  failed: {result.failure}\n")
    return count - len(good)


def show(name: str, *cells: str) -> None:
    """Print a line of the table. The seconds of a step are those of the slowest learner."""
    sys.stdout.write(f"{name:<24}{''.join(f'{cell:>11}' for cell in cells)}\n")
    sys.stdout.flush()


def prepare(learner: Learner) -> None:
    """Give a learner the committed files of the kit."""
    course = learner.folder / "course"
    course.mkdir(parents=True)
    archive = subprocess.run(
        ("git", "-C", str(ROOT), "archive", "HEAD"), stdout=subprocess.PIPE, check=True
    )
    subprocess.run(("tar", "-x", "-C", str(course)), input=archive.stdout, check=True)


def take_part(learner: Learner, room: Classroom) -> Result:
    """Pull, install and build as one learner."""
    course = learner.folder / "course"
    # Absolute: a program that enters another mount namespace starts in /.
    service = str(course / "services/degrees_api")
    pem = (room.folder / "room.pem").read_text()
    page = room.folder / "www/index.html"
    fingerprint = page.read_text().partition(f"python3 join.py {room.url} ")[2].split("<")[0]
    packages = ("--require-hashes", "--requirement", f"{service}/requirements.txt")
    certificate = learner.folder / "room.pem"
    certificate.write_text(pem)
    python = (sys.executable, "-m")
    commands = (
        (*python, "workshop", "join", room.url, "--fingerprint", fingerprint.strip()),
        (
            *(*python, "pip", "--isolated", "install", "--quiet", "--no-cache-dir", "--target"),
            *(str(learner.folder / "packages"), "--cert", str(certificate)),
            *("--index-url", f"{room.url}/simple/", *packages),
        ),
        ("docker", "build", "--quiet", "--tag", "degrees_api:1.0", service),
    )
    seconds = []
    for step, command in zip(STEPS, commands, strict=True):
        start = time.monotonic()
        try:
            learner.run("env", f"PYTHONPATH={course}", *command, timeout=3600)
        except AssertionError as error:
            return Result((), f"{learner.address}: {step}: {str(error)[-300:]}")
        seconds.append(time.monotonic() - start)
    return Result(tuple(seconds))


def sent(server: Machine) -> int:
    """Return the bytes that the server has sent to its network."""
    (link,) = json.loads(server.run("ip", "-s", "-json", "link", "show", "eth0"))
    return int(link["stats64"]["tx"]["bytes"])


if __name__ == "__main__":
    sys.exit(main())
