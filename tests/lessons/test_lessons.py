"""Every page is correct on a real engine."""

from __future__ import annotations

import fcntl
import os
import re
import socket
import time
from typing import TYPE_CHECKING

import pytest
from harness import ROOT, get
from lessons.learner import Learner

from workshop.site import lessons
from workshop.stack.images import WEB

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workshop.engine import Engine
    from workshop.site.lessons import Page

HTTP_ERROR = 400

_PUBLISHED = re.compile(r"(?:-p|--publish)[ =](?:127\.0\.0\.1:)?(\d+):\d+")


@pytest.fixture
def learner(tmp_path: Path, alone: None) -> Iterator[Learner]:  # noqa: ARG001
    found = Learner(tmp_path)
    yield found
    found.remove()


@pytest.fixture
def alone(engine: Engine) -> Iterator[None]:  # noqa: ARG001 - requires an engine
    """Run one lesson at a time: two may use the same port or the same name."""
    with (ROOT / "mkdocs.yml").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def busy(page: Page) -> list[int]:
    """Return the ports that the page publishes and that are in use on this machine."""
    text = "\n".join(command.text for block in page.blocks for command in block.commands)
    return [port for port in sorted(set(map(int, _PUBLISHED.findall(text)))) if _taken(port)]


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(
    "page", [page for page in lessons.pages() if page.runs], ids=lambda page: page.name
)
def test_a_page_is_correct(page: Page, learner: Learner, record_property):
    require_free_ports(page)
    start = time.monotonic()
    learner.follow(page)
    record_property("seconds", round(time.monotonic() - start, 1))


def test_a_day_of_lessons_in_one_checkout_beside_the_services(learner: Learner):
    """Every lesson in the order of the site, after `make up`, without tidying up in between."""
    order = re.findall(r"(lessons/[\w/-]+)\.md", (ROOT / "mkdocs.yml").read_text("utf-8"))
    pages = {page.name: page for page in lessons.pages()}
    for name in order:
        require_free_ports(pages[name])
    # As in a learner's checkout, the kit's compose project is not that of the exercises.
    kit = f"COMPOSE_PROJECT_NAME={learner.project}-kit python -m workshop"
    up = learner.run(f"{kit} up")
    try:
        for name in order:
            learner.follow(pages[name])
        addresses = re.findall(r"http://localhost:\S+", up)
        assert len(addresses) == len(WEB)
        assert all(get(address).status_code < HTTP_ERROR for address in addresses)
    finally:
        learner.run(f"{kit} down --all")


def require_free_ports(page: Page) -> None:
    if ports := busy(page):
        reason = f"ports {ports}, which the lesson needs, are in use: see `docker ps`"
        if os.environ.get("REQUIRE_ENGINE", "") not in {"", "0"}:
            pytest.fail(reason)
        pytest.skip(reason)
