"""Everything built and started, and everything undone again."""

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

# More builds at a time than this only make each other wait.
BUILDS_AT_A_TIME = 3


@dataclass(frozen=True)
class Built:
    """An image, and what it cost: its size in bytes, and how many seconds its build took."""

    image: Image
    size: int
    seconds: float


def build(
    engine: Engine, root: Path, images: Sequence[Image], display: ProgressDisplay
) -> list[Built]:
    """Build `images` from the checkout at `root`, a few at a time, in the order given."""

    def one(image: Image) -> Built:
        start = time.monotonic()
        with display.job(image.name, "building") as job:
            engine.build(image.build(root), on_line=job.step)
        return Built(image, engine.size(image.name), time.monotonic() - start)

    with ThreadPoolExecutor(BUILDS_AT_A_TIME) as pool:
        jobs = [pool.submit(one, image) for image in images]
        try:
            return [job.result() for job in jobs]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def start(engine: Engine, root: Path, display: ProgressDisplay) -> dict[str, str]:
    """Start the web services and wait until each is healthy; returns their addresses by name."""
    _check_ports(engine, root)
    ran_before = any(_rows(engine, root))
    names = [web.service for web in WEB]
    words = ("--profile", "all", "up", "--detach", "--wait", "--no-build", *names)
    with display.job("web services", "waiting until each is healthy"):
        try:
            done = engine.compose(*words, folder=root)
        except Interrupted:
            if not ran_before:
                down(Engine(), root)  # the engine at hand starts no more programs
            raise
        if done.code:
            why = _last_words(engine, root, done)
            if not ran_before:
                with contextlib.suppress(UserError):  # why it did not come up is the news
                    down(engine, root)
            engine.check("docker compose up", done, why)
    pages = {web.service: web.page for web in WEB}
    return {
        row["Service"]: f"http://localhost:{port}{pages[row['Service']]}"
        for row in _rows(engine, root)
        for port in _published(row)
        if row["Service"] in pages
    }


def down(engine: Engine, root: Path, *, everything: bool = False) -> None:
    """Remove this checkout's containers and networks, and its data too where `everything`."""
    words = ["--profile", "all", "down", "--remove-orphans"]
    done = engine.compose(*words, *(["--volumes"] if everything else []), folder=root)
    engine.check("docker compose down", done, "Run it again")


def table(built: Iterable[Built], addresses: dict[str, str]) -> Table:
    """What `make up` ends with. Sizes are in decimal megabytes, build times in seconds."""
    sheet = Table(box=None, pad_edge=False, header_style="bold")
    sheet.add_column("service", no_wrap=True)
    sheet.add_column("URL", no_wrap=True)
    sheet.add_column("MB", justify="right")
    sheet.add_column("build s", justify="right")
    for one in built:
        address = addresses.get(one.image.web.service, "") if one.image.web else ""
        name = f"{one.image.word} {one.image.target}".rstrip()
        sheet.add_row(name, address, f"{one.size / 1e6:.0f}", f"{one.seconds:.1f}")
    return sheet


def _check_ports(engine: Engine, root: Path) -> None:
    """Refuse a port that another program holds, before anything is started."""
    ours = {port for row in _rows(engine, root) for port in _published(row)}
    done = engine.compose("--profile", "all", "config", "--format", "json", folder=root)
    engine.check("docker-compose.yml", done, "Mend the line that it names")
    services = json.loads(done.stdout)["services"]
    for web in WEB:
        port = int(services[web.service]["ports"][0]["published"])
        if port not in ours and not settings.is_free(port):
            raise UserError(
                f"port {port}, for {web.service}",
                "another program uses it",
                f"Stop that program, or set {web.variable} to a free port in .env",
            )


def _rows(engine: Engine, root: Path) -> Iterator[dict[str, Any]]:
    """The checkout's containers, as `docker compose ps` has them."""
    done = engine.compose("--profile", "all", "ps", "--format", "json", folder=root)
    engine.check("docker compose ps", done, "Run the command again")
    for line in done.stdout.splitlines():
        yield json.loads(line)


def _published(row: dict[str, Any]) -> set[int]:
    """The ports of this machine that lead to a container."""
    return {port["PublishedPort"] for port in row["Publishers"] or () if port["PublishedPort"]}


def _last_words(engine: Engine, root: Path, done: ProcessResult) -> str:
    """What the container said last that did not become healthy."""
    for web in WEB:
        if f"-{web.service}-" in done.last_line:
            log = engine.compose("logs", "--no-log-prefix", "--tail", "5", web.service, folder=root)
            return f"Its last words: {log.last_line}"
    return "Run the command again"
