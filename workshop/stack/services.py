"""Builds the images, and starts and stops the web services."""

from __future__ import annotations

import contextlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table

from workshop.core.errors import Interrupted, UserError
from workshop.engine import Engine
from workshop.stack import settings
from workshop.stack.images import WEB, Image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from workshop.core.process import ProcessResult
    from workshop.core.progress import ProgressDisplay

# More parallel builds than this slow each other down.
BUILDS_AT_A_TIME = 3


@dataclass(frozen=True)
class Built:
    """A built image: its size in bytes, and its build time in seconds."""

    image: Image
    size: int
    seconds: float


def build(
    engine: Engine, root: Path, images: Sequence[Image], display: ProgressDisplay
) -> list[Built]:
    """Build `images` from the checkout at `root`, a few in parallel, the longest build first."""

    def build_image(image: Image) -> Built:
        start = time.monotonic()
        with display.job(image.name, "building") as job:
            engine.build(image.build(root), on_line=job.step)
        return Built(image, engine.size(image.name), time.monotonic() - start)

    with ThreadPoolExecutor(BUILDS_AT_A_TIME) as pool:
        longest_first = sorted(enumerate(images), key=lambda row: -row[1].cold_seconds)
        jobs = {number: pool.submit(build_image, image) for number, image in longest_first}
        try:
            return [jobs[number].result() for number in range(len(images))]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def start(engine: Engine, root: Path, display: ProgressDisplay) -> dict[str, str]:
    """Start the web services, wait until each is healthy, and return their URLs by name."""
    _check_ports(engine, root)
    ran_before = any(_list_containers(engine, root))
    pages = {web.service: web.page for web in WEB}
    options = ("--profile", "all", "up", "--detach", "--wait", "--no-build")
    with display.job("web services", "waiting until each is healthy"):
        try:
            done = engine.compose(*options, *pages, folder=root)
        except Interrupted:
            if not ran_before:
                down(Engine(), root)  # the interrupted engine starts no programs any longer
            raise
        if done.code:
            fix = _read_last_log_line(engine, root, done)
            if not ran_before:
                with contextlib.suppress(UserError):  # report the first error
                    down(engine, root)
            engine.check("docker compose up", done, fix)
    return {
        row["Service"]: f"http://localhost:{port}{pages[row['Service']]}"
        for row in _list_containers(engine, root)
        for port in _published_ports(row)
        if row["Service"] in pages
    }


def down(engine: Engine, root: Path, *, everything: bool = False) -> None:
    """Remove this checkout's containers and networks, and with `everything` its data."""
    options = ["--profile", "all", "down", "--remove-orphans"]
    done = engine.compose(*options, *(["--volumes"] if everything else []), folder=root)
    engine.check("docker compose down", done, "Run it again")


def make_table(built: Iterable[Built], addresses: dict[str, str]) -> Table:
    """Return the table that `make up` prints: sizes in decimal megabytes, times in seconds."""
    result = Table(box=None, pad_edge=False, header_style="bold")
    result.add_column("service", no_wrap=True)
    result.add_column("URL", no_wrap=True)
    result.add_column("MB", justify="right")
    result.add_column("build s", justify="right")
    for image, size, seconds in ((b.image, b.size, b.seconds) for b in built):
        address = addresses.get(image.web.service, "") if image.web else ""
        name = f"{image.service} {image.target}".rstrip()
        result.add_row(name, address, f"{size / 1e6:.0f}", f"{seconds:.1f}")
    return result


def _check_ports(engine: Engine, root: Path) -> None:
    """Raise a `UserError` if another program uses a port, before anything starts."""
    ours = {port for row in _list_containers(engine, root) for port in _published_ports(row)}
    done = engine.compose("--profile", "all", "config", "--format", "json", folder=root)
    engine.check("docker-compose.yml", done, "Fix the line that it names")
    services = json.loads(done.stdout)["services"]
    for web in WEB:
        port = int(services[web.service]["ports"][0]["published"])
        if port not in ours and not settings.is_free(port):
            fix = f"Stop that program, or set {web.variable} to a free port in .env"
            raise UserError(f"port {port}, for {web.service}", "another program uses it", fix)


def _list_containers(engine: Engine, root: Path) -> Iterator[dict[str, Any]]:
    """Yield the checkout's containers, as `docker compose ps` lists them."""
    done = engine.compose("--profile", "all", "ps", "--format", "json", folder=root)
    engine.check("docker compose ps", done, "Run the command again")
    for line in done.stdout.splitlines():
        yield json.loads(line)


def _published_ports(row: dict[str, Any]) -> set[int]:
    """Return the host ports that a container publishes."""
    return {port["PublishedPort"] for port in row["Publishers"] or () if port["PublishedPort"]}


def _read_last_log_line(engine: Engine, root: Path, done: ProcessResult) -> str:
    """Return the last log line of the container that did not become healthy."""
    for web in WEB:
        if f"-{web.service}-" in done.last_line:
            log = engine.compose("logs", "--no-log-prefix", "--tail", "5", web.service, folder=root)
            return f"Its last log line: {log.last_line}"
    return "Run the command again"
