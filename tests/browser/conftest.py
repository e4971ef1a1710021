"""A real Chromium that opens the served site."""

from __future__ import annotations

import os
import shutil
import threading
from typing import TYPE_CHECKING

import pytest
from browser.install import BROWSERS
from harness import ROOT
from playwright.sync_api import Error, sync_playwright

from workshop.core.process import SubprocessRunner
from workshop.site import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserType

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def skip_or_fail(reason: str) -> None:
    """Skip the test, or fail if a browser is required."""
    if os.environ.get("REQUIRE_BROWSER", "") not in {"", "0"}:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium; without one the test is skipped."""
    with sync_playwright() as playwright:
        browser = launch(playwright.chromium)
        yield browser
        browser.close()


def launch(kind: BrowserType, *flags: str) -> Browser:
    """Start the machine's Chromium with more flags; without one the test is skipped."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        skip_or_fail(
            f"none of {', '.join(BROWSERS)} is on the PATH: install Debian's package chromium"
        )
    try:
        return kind.launch(executable_path=found, args=[*FLAGS, *flags])
    except Error as error:
        skip_or_fail(f"{found} does not start: {error}")


@pytest.fixture(scope="session")
def course(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001 - requires a browser
    """The URL of the site, built for these tests from docs/."""
    folder = copy_sources(tmp_path_factory.mktemp("checkout"))
    if warning := build.build(SubprocessRunner(), folder):
        skip_or_fail(warning)
    with build.serve(folder / build.SITE, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{build.HOST}:{server.server_port}"
        server.shutdown()


def copy_sources(folder: Path) -> Path:
    """Copy the sources of the site, with a link to the packages of npm."""
    ignore = shutil.ignore_patterns("node_modules", ".env", "__pycache__", ".*_cache")
    for name in (".github", "docs", "museum", "services", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for file in (*ROOT.glob("docker-compose*.yml"), ROOT / "mkdocs.yml"):
        shutil.copy(file, folder)
    (folder / "web").symlink_to(ROOT / "web")
    return folder


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, from npm."""
    file = ROOT / "web/node_modules/axe-core/axe.min.js"
    if not file.exists():
        argv = ("npm", "ci", "--prefix", str(ROOT / "web"), "--ignore-scripts", "--no-audit")
        done = SubprocessRunner()(argv)
        if done.code:
            skip_or_fail(f"npm cannot fetch axe-core: {done.last_line}")
    return file.read_text(encoding="utf-8")
