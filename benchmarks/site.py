"""Measure the course's site: the build time, and the size of the first lesson.

The size is the number of bytes that Chromium transfers for the page with an empty cache. The
search index is measured separately: the browser loads it on the first search.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

from benchmarks import command
from benchmarks.feedback import browsing
from benchmarks.rounds import Case
from workshop.core.paths import ROOT
from workshop.core.process import SubprocessRunner
from workshop.site import build

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from benchmarks.rounds import Rounds

FIRST_PAGE = "lessons/part-3/baby-steps/"
KB = 1000
WEIGHTS = """performance.getEntries().filter(e => 'transferSize' in e)
    .map(e => [e.name, e.transferSize])"""


def build_site() -> dict[str, float]:
    """Build the site; return the seconds."""
    start = time.perf_counter()
    build.build(SubprocessRunner())
    return {"build": time.perf_counter() - start}


def measure_page(browser: Browser, url: str) -> tuple[float, float]:
    """Return the kilobytes of a page without the search index, and those of the index."""
    context = browser.new_context()  # with an empty cache
    page = context.new_page()
    page.goto(url)
    page.wait_for_load_state("networkidle")
    sizes = page.evaluate(WEIGHTS)
    context.close()
    index = sum(size for name, size in sizes if "/search/" in name)
    return (sum(size for _, size in sizes) - index) / KB, index / KB


def measure(rounds: Rounds) -> None:
    """Build the site a few times, and load its first lesson."""
    rounds.compare([Case("the whole course", "make docs", build_site)], warm_up=False)
    rounds.step("loading the first lesson")
    with build.serve(ROOT / build.SITE, 0) as server, browsing() as browser:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://{build.HOST}:{server.server_port}/{FIRST_PAGE}"
        page, index = measure_page(browser, url)
        server.shutdown()
    rounds.add("the first lesson", "transferred", {"page": page})
    if index:
        rounds.add("the search index", "transferred", {"page": index})


if __name__ == "__main__":
    sys.exit(command.main("site", measure))
