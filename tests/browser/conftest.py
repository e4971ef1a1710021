"""A real Chromium that looks at the site as it is served."""

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

    from playwright.sync_api import Browser

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


def lacking(reason: str) -> None:
    """Skip, or fail where a browser is required."""
    if os.environ.get("REQUIRE_BROWSER", "") not in {"", "0"}:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The machine's own Chromium; without one the test is skipped."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        lacking(f"none of {', '.join(BROWSERS)} is on the PATH: install Debian's package chromium")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        except Error as error:
            lacking(f"{found} does not start: {error}")
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def course(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001 - first of all a browser
    """The address of the site, built for these tests from what docs/ holds now."""
    folder = copy(tmp_path_factory.mktemp("checkout"))
    if missing := build.build(SubprocessRunner(), folder):
        lacking(missing)
    with build.serve(folder / build.SITE, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{build.HOST}:{server.server_port}"
        server.shutdown()


def copy(folder: Path) -> Path:
    """A checkout with what the site is made from; what npm fetched stays where it is."""
    ignore = shutil.ignore_patterns("node_modules", ".env", "__pycache__", ".*_cache")
    for name in (".github", "docs", "museum", "services", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for file in (*ROOT.glob("docker-compose*.yml"), ROOT / "mkdocs.yml"):
        shutil.copy(file, folder)
    (folder / "web").symlink_to(ROOT / "web")
    return folder


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, as npm has it."""
    file = ROOT / "web/node_modules/axe-core/axe.min.js"
    if not file.exists():
        words = ("npm", "ci", "--prefix", str(ROOT / "web"), "--ignore-scripts", "--no-audit")
        done = SubprocessRunner()(words)
        if done.code:
            lacking(f"npm cannot fetch axe-core: {done.last_line}")
    return file.read_text(encoding="utf-8")
