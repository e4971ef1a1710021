"""A Dask scheduler and workers as processes on this machine, for the tests of the cluster."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from harness import ROOT, free_ports, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# On a busy machine, Dask needs long to start.
SECONDS = 120
DASK = (sys.executable, "-m", "dask")
PATHS = os.pathsep.join([str(ROOT), str(ROOT / "tests")])


@contextlib.contextmanager
def running(argv: list[str], log: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run a program until the block ends, with its output in a file."""
    with (
        log.open("w") as output,
        subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, text=True, env=env
        ) as process,
    ):
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


@contextlib.contextmanager
def scheduler(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run a scheduler; yield its address and its process."""
    (port,) = free_ports(1)
    argv = [*DASK, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    log = folder / f"scheduler-{port}.log"
    with running(argv, log, {**os.environ, "PYTHONPATH": PATHS}) as process:
        until(lambda: "Scheduler at" in log.read_text(), "the scheduler", SECONDS)
        yield f"tcp://127.0.0.1:{port}", process


@contextlib.contextmanager
def worker(
    address: str, folder: Path, *options: str, threads: int = 1, **variables: str
) -> Iterator[None]:
    """Run a worker with its own temporary folder and cache, as the page for instructors says."""
    for name in ("tmp", "cache", "scratch"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    env = {
        **os.environ,
        "PYTHONPATH": PATHS,
        "TMPDIR": str(folder / "tmp"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        **variables,
    }
    argv = [
        *(*DASK, "worker", address, "--nworkers", "1", "--nthreads", str(threads)),
        *("--no-dashboard", "--local-directory", str(folder / "scratch")),
        *("--preload", "workshop.cohort.worker", *options),
    ]
    log = folder / "worker.log"
    with running(argv, log, env):
        until(lambda: "Registered to" in log.read_text(), "the worker", SECONDS)
        yield
