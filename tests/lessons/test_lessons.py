"""Every page is correct on a real engine."""

from __future__ import annotations

import fcntl
import os
import re
import socket
import time
from typing import TYPE_CHECKING

import pytest
from harness import ROOT
from lessons.learner import Learner

from workshop.site import lessons

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workshop.engine import Engine
    from workshop.site.lessons import Page

_PUBLISHED = re.compile(r"(?:-p|--publish)[ =](?:127\.0\.0\.1:)?(\d+):\d+")


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
@pytest.mark.usefixtures("alone")
def test_a_page_is_correct(page: Page, tmp_path: Path, record_property):
    if ports := busy(page):
        reason = f"ports {ports}, which the lesson needs, are in use: try `make down`"
        if os.environ.get("REQUIRE_ENGINE", "") not in {"", "0"}:
            pytest.fail(reason)
        pytest.skip(reason)
    start = time.monotonic()
    Learner(tmp_path).follow(page)
    record_property("seconds", round(time.monotonic() - start, 1))
