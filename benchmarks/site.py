"""Measure the course's site: the time it takes to build, and the weight of each page.

The weight is what Chromium transfers for the page, opened for the first time, in bytes. The index
of the search is counted apart: it is fetched when somebody searches. With `--lessons`, every
lesson is followed as well, on the real engine, and timed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from browser.conftest import CHROMIUM, FLAGS  # noqa: E402 - tests are no package
from lessons.learner import Learner  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from workshop.core.process import SubprocessRunner  # noqa: E402
from workshop.site import build, lessons  # noqa: E402

BAR = 400_000
FIRST = "lessons/part-3/baby-steps"
WEIGHTS = """performance.getEntries().filter(e => 'transferSize' in e)
    .map(e => [e.name, e.transferSize])"""


def build_times(rounds: int) -> list[float]:
    """The seconds that each of so many builds took."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        build.build(SubprocessRunner())
        taken.append(time.perf_counter() - start)
    return taken


def weigh(names: list[str]) -> dict[str, tuple[int, int]]:
    """The bytes of each page without the search's index, and those of that index."""
    found = {}
    with build.serve(ROOT / build.SITE, 0) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name in names:
            context = browser.new_context()  # with nothing in its cache
            page = context.new_page()
            page.goto(f"http://{build.HOST}:{server.server_port}/{name.removesuffix('index')}")
            page.wait_for_load_state("networkidle")
            sizes = page.evaluate(WEIGHTS)
            index = sum(size for url, size in sizes if "/search/" in url)
            found[name] = (sum(size for _, size in sizes) - index, index)
            context.close()
        browser.close()
        server.shutdown()
    return found


def follow() -> dict[str, float]:
    """The seconds that each page with something to run takes."""
    taken = {}
    for page in lessons.pages():
        if page.runs:
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                Learner(Path(folder)).follow(page)
                taken[page.name] = time.perf_counter() - start
    return taken


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5, help="how often the site is built (5)")
    options.add_argument("--lessons", action="store_true", help="follow every lesson too")
    asked = options.parse_args()
    taken = build_times(asked.rounds)
    say(f"build, s: {statistics.median(taken):.2f} ({min(taken):.2f}-{max(taken):.2f})")
    docs = ROOT / build.DOCS
    names = [path.relative_to(docs).with_suffix("").as_posix() for path in docs.rglob("*.md")]
    weights = weigh(sorted(name for name in names if not name.endswith("TEMPLATE")))
    for name, (size, _) in weights.items():
        bar = f"  at most {BAR / 1000:.0f}: {'kept' if size < BAR else 'not kept'}"
        say(f"{name:<36}{size / 1000:7.1f} kB{bar if name == FIRST else ''}")
    say(f"{'the index of the search':<36}{max(i for _, i in weights.values()) / 1000:7.1f} kB")
    if asked.lessons:
        for name, seconds in follow().items():
            say(f"{name:<36}{seconds:7.1f} s")


if __name__ == "__main__":
    main()
