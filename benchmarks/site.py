"""Measure the course's site: the build time, and the size of each page.

The size is the number of bytes that Chromium transfers for the page with an empty cache. The
search index is listed separately: the browser loads it on the first search. With `--lessons`, also
run and time every lesson on the real engine.
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

from browser.conftest import CHROMIUM, FLAGS  # noqa: E402 - tests are not a package
from lessons.learner import Learner  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from workshop.core.process import SubprocessRunner  # noqa: E402
from workshop.site import build, lessons  # noqa: E402

LIMIT = 400_000
FIRST_PAGE = "lessons/part-3/baby-steps"
WEIGHTS = """performance.getEntries().filter(e => 'transferSize' in e)
    .map(e => [e.name, e.transferSize])"""


def build_times(rounds: int) -> list[float]:
    """Build the site `rounds` times; return the seconds of each build."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        build.build(SubprocessRunner())
        taken.append(time.perf_counter() - start)
    return taken


def page_sizes(names: list[str]) -> dict[str, tuple[int, int]]:
    """Return the bytes of each page without the search index, and those of the index."""
    found = {}
    with build.serve(ROOT / build.SITE, 0) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name in names:
            context = browser.new_context()  # with an empty cache
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


def lesson_times() -> dict[str, float]:
    """Run each lesson that has commands; return the seconds it takes."""
    taken = {}
    for page in lessons.pages():
        if page.runs:
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                Learner(Path(folder)).follow(page)
                taken[page.name] = time.perf_counter() - start
    return taken


def print_line(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5, help="number of builds (default: 5)")
    options.add_argument("--lessons", action="store_true", help="also run every lesson")
    arguments = options.parse_args()
    taken = build_times(arguments.rounds)
    print_line(f"build, s: {statistics.median(taken):.2f} ({min(taken):.2f}-{max(taken):.2f})")
    docs = ROOT / build.DOCS
    names = [path.relative_to(docs).with_suffix("").as_posix() for path in docs.rglob("*.md")]
    sizes_by_page = page_sizes(sorted(name for name in names if not name.endswith("TEMPLATE")))
    for name, (size, _) in sizes_by_page.items():
        limit = f"  at most {LIMIT / 1000:.0f}: {'kept' if size < LIMIT else 'MISSED'}"
        print_line(f"{name:<36}{size / 1000:7.1f} kB{limit if name == FIRST_PAGE else ''}")
    print_line(f"{'search index':<36}{max(i for _, i in sizes_by_page.values()) / 1000:7.1f} kB")
    if arguments.lessons:
        for name, seconds in lesson_times().items():
            print_line(f"{name:<36}{seconds:7.1f} s")


if __name__ == "__main__":
    main()
