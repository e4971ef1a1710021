"""Measure the desk in Chromium. Run with `make bench-desk` (Python needs -P: this is not `desk`).

1. From the start of `workshop learn` until the first lesson is usable, warm. Limit: 1 s.
2. From a key until its letter is on the screen of the terminal, 95th percentile. Limit: 30 ms.
3. From the last key in the editor until the verdict on the text is on the page. Limit: 300 ms.
4. From the click on Check until the full verdict is on the page, and `workshop check`, in turn.
   Limit: 1.2 times.
5. The bytes that the page needs at its first load, with an empty cache. Limit: 1.5 MB.
6. The memory (RSS) of the server before and after scripted use. Limit: 120 MB. `--hours 1` does
   what a busy learner does in an hour (`HOUR`), without the pauses in between.

Each figure has the load of the machine beside it: the average of the last minute.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from browser.conftest import FLAGS
from browser.install import BROWSERS
from browser.test_desk import Server
from lessons.cleanup import Cleanup
from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
TASK = "baby-steps"
BUILD = f"docker build --quiet -t first-container exercises/{TASK}"
ANSWER = ROOT / "services/part-3/baby-steps/Dockerfile"
MB = 1_000_000
GAP = 60  # milliseconds between two keys, at least
LIMITS = {
    "first lesson": 1.0,
    "key to screen": 0.030,
    "text verdict": 0.300,
    "full verdict": 1.2,
    "first load": 1.5,
    "memory": 120.0,
}
MILLISECONDS_TO_CHECK = 300_000
# What a busy learner does in an hour: how often each part of `Hour` happens.
HOUR = {
    "open_lesson": 30,
    "edit": 360,
    "type_keys": 300,
    "run_command": 240,
    "print_much": 12,
    "look_at_image": 30,
    "look_at_progress": 30,
    "change_terminal": 12,
    "reload": 12,
    "check": 12,
}
REPORTS = 4  # how often the memory is printed meanwhile
# The page measures the time itself, from the event to the end of the frame that shows the change:
# what waits in a message channel runs after the frame is painted. Playwright polls too rarely.
AFTER_PAINT = """window.afterPaint = (done) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => done(performance.now());
    requestAnimationFrame(() => channel.port2.postMessage(0));
};"""
PREPARE_KEYS = """() => {
    window.taken = [];
    let answer;
    window.drawn = (count) => new Promise((resolve) => {
        answer = () => window.taken.length >= count && resolve();
        answer();
    });
    const input = document.querySelector(".xterm-helper-textarea");
    const screen = document.querySelector(".xterm-rows");
    input.addEventListener("keydown", (event) => {
        if (event.key.length === 1 && !event.ctrlKey) window.pressed = performance.now();
    }, true);
    // xterm.js draws in a frame's callback, so that the frame that is painted next has the letter.
    new MutationObserver(() => {
        if (!window.pressed) return;
        const pressed = window.pressed;
        window.pressed = 0;
        const channel = new MessageChannel();
        channel.port1.onmessage = () => {
            window.taken.push(performance.now() - pressed);
            answer?.();
        };
        channel.port2.postMessage(0);
    }).observe(screen, {childList: true, subtree: true, characterData: true});
}"""
PREPARE_VERDICT = """() => {
    window.verdict = 0;
    document.querySelector(".cm-content").addEventListener("keydown", () => {
        window.pressed = performance.now();
        window.verdict = 0;
    }, true);
    const status = document.querySelector("#status");
    new MutationObserver(() => {
        if (!window.pressed || window.verdict || status.textContent === window.before) return;
        window.afterPaint((now) => (window.verdict = now - window.pressed));
    }).observe(status, {childList: true, subtree: true, characterData: true});
}"""
PREPARE_CHECK = """() => {
    document.querySelector("#check").addEventListener("click", () => {
        window.celebrated = 0;
        window.clicked = performance.now();
    }, true);
    new MutationObserver((changes) => {
        if (changes.some(({addedNodes}) => [...addedNodes].some(({id}) => id === "celebration")))
            window.afterPaint((now) => (window.celebrated = now - window.clicked));
    }).observe(document.body, {childList: true});
}"""


def print_figure(name: str, text: str, value: float, *, unit: str) -> None:
    """Print a figure, whether it keeps its limit, and the load of the machine."""
    limit = LIMITS[name]
    kept = "kept" if value <= limit else "MISSED"
    sys.stdout.write(
        f"{name:<14} {text:<34} at most {limit:g} {unit}: {kept:<6} load {os.getloadavg()[0]:.1f}\n"
    )
    sys.stdout.flush()


def describe(values: Sequence[float]) -> str:
    """Return the median and the range of some seconds."""
    return f"{statistics.median(values):.3f} s ({min(values):.3f}-{max(values):.3f})"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of all do not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


@contextmanager
def opened(browser: Browser, server: Server) -> Iterator[Page]:
    """Open the desk in a new window with an empty cache, and wait for its first lesson."""
    context = browser.new_context(viewport={"width": 1280, "height": 844})
    try:
        page = context.new_page()
        page.add_init_script(AFTER_PAINT)
        page.goto(server.new_link())
        wait_until_usable(page)
        yield page
    finally:
        context.close()


def wait_until_usable(page: Page) -> None:
    """Wait for the lesson and its buttons."""
    page.locator("article .bar .run").first.wait_for()


def measure_start(browser: Browser, folder: Path, rounds: int) -> list[float]:
    """Return the seconds from the start of the command to a usable lesson, after a warm-up."""
    taken = []
    for number in range(rounds + 1):
        context = browser.new_context(viewport={"width": 1280, "height": 844})
        page = context.new_page()
        start = time.perf_counter()
        server = Server.start(folder)
        page.goto(server.link, wait_until="commit")
        wait_until_usable(page)
        if number:
            taken.append(time.perf_counter() - start)
        context.close()
        server.stop()
    return taken


def measure_load(browser: Browser, server: Server) -> int:
    """Return the bytes that the browser gets until the network is quiet."""
    context = browser.new_context(viewport={"width": 1280, "height": 844})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    received = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(server.new_link())
    wait_until_usable(page)
    page.wait_for_load_state("networkidle")
    context.close()
    return round(sum(received))


def measure_keys(page: Page, count: int) -> list[float]:
    """Return the seconds from each of `count` keys to the frame that shows its letter."""
    page.locator(".xterm-helper-textarea").first.focus()
    expect(page.locator(".xterm-rows").first).to_contain_text(re.compile("[$#]"))
    page.evaluate(PREPARE_KEYS)
    for number in range(count):
        page.keyboard.press("abcdefghij"[number % 10])
        # Not wait_for_function, which keeps the page busy: it looks again in every frame.
        page.evaluate("(count) => window.drawn(count)", number + 1)
        # A typist waits too, and for no whole number of frames.
        page.wait_for_timeout(GAP + number % 17)
        if number % 40 == 39:  # noqa: PLR2004 - before the line is full
            page.keyboard.press("Control+U")
            page.keyboard.press("Control+L")
            expect(page.locator(".xterm-rows").first).to_have_text(re.compile(r"^\S+\s[$#]\s*$"))
    return [milliseconds / 1000 for milliseconds in page.evaluate("window.taken")]


def measure_text(page: Page, rounds: int) -> list[float]:
    """Return the seconds from the last key to the verdict on the text.

    Each round types a text whose verdict differs from the one before. The desk saves a moment after
    the last key, and that moment is part of the time.
    """
    status = page.locator("#status")
    editor = page.locator("#text .cm-content")
    editor.click()
    page.evaluate(PREPARE_VERDICT)
    taken = []
    for number in range(rounds * 2):
        before = status.inner_text()
        page.evaluate("(before) => {window.pressed = 0; window.before = before}", before)
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(
            "FROM ubuntu:24.04\nRUN echo a" if number % 2 else "FROM debian:12"
        )
        page.keyboard.press("Enter")
        page.wait_for_function("() => window.verdict > 0")
        taken.append(page.evaluate("window.verdict") / 1000)
    return taken


def measure_check(page: Page, folder: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Return the seconds of a full check at the desk, and of `workshop check`, in turn."""
    ours, theirs = [], []
    argv = (sys.executable, "-m", "workshop", "check", TASK)
    page.evaluate(PREPARE_CHECK)
    for number in range(rounds + 1):
        page.locator("#check").click()
        page.wait_for_function("() => window.celebrated > 0", timeout=MILLISECONDS_TO_CHECK)
        desk = page.evaluate("window.celebrated") / 1000
        page.locator("#celebration").get_by_role("button", name="Close").click()
        start = time.perf_counter()
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run(argv, cwd=folder, env=environment, capture_output=True, check=True)
        if number:  # the first round fills the engine's cache
            ours.append(desk)
            theirs.append(time.perf_counter() - start)
    return ours, theirs


class Hour:
    """Does what a learner does, each time until the page shows the result."""

    def __init__(self, page: Page) -> None:
        self._page, self._number = page, 0
        options = page.locator("#lessons option")
        self._lessons = options.evaluate_all("(all) => all.map((one) => one.value)")

    def do(self, name: str) -> None:
        """Do one thing of `HOUR`."""
        self._number += 1
        getattr(self, name)()

    def open_lesson(self) -> None:
        """Open the next lesson, and go back to the exercise."""
        for name in (self._lessons[self._number % len(self._lessons)], f"lessons/part-3/{TASK}"):
            self._page.locator("#lessons").select_option(name)
            self._page.wait_for_function("(name) => location.search === `?${name}`", arg=name)
        self._page.locator("#file-tabs [role=tab]").first.wait_for()

    def edit(self) -> None:
        """Replace the text, and wait for the save."""
        self._page.locator("#text .cm-content").click()
        self._page.keyboard.press("Control+A")
        self._page.keyboard.insert_text(f"{ANSWER.read_text()}# {self._number}")
        self._page.keyboard.press("Control+S")
        expect(self._page.locator("#file-tabs .mark")).to_have_count(0)

    def type_keys(self) -> None:
        """Type a line at the end of the file."""
        self._page.locator("#text .cm-content").click()
        self._page.keyboard.press("Control+End")
        self._page.keyboard.type(f"# a comment {self._number}\n")
        expect(self._page.locator("#file-tabs .mark")).to_have_count(0)

    def run_command(self, command: str = "ls -l exercises") -> None:
        """Run a command in the terminal."""
        self._page.locator("[id^=tab-terminal]").first.click()
        self._page.locator(".screen:not([hidden]) textarea").focus()
        self._page.keyboard.type(f"clear; {command}; echo d''one-{self._number}\n")
        screen = self._page.locator(".screen:not([hidden]) .xterm-rows")
        expect(screen).to_contain_text(f"done-{self._number}", timeout=MILLISECONDS_TO_CHECK)

    def print_much(self) -> None:
        """Print more than a terminal keeps."""
        self.run_command("seq 400000")

    def look_at_image(self) -> None:
        """Look at the image, after a build."""
        if self._page.locator("#panel-image table").count() == 0:
            self.run_command(BUILD)
        self._page.locator("#tab-image").click()
        self._page.locator("#panel-image table").wait_for()

    def look_at_progress(self) -> None:
        """Look at the progress in the course."""
        self._page.locator("#tab-progress").click()
        self._page.locator(".progress .summary").wait_for()

    def change_terminal(self) -> None:
        """Close a terminal, and open another one."""
        self._page.locator("#new-terminal").click()
        self._page.locator("[id^=tab-terminal]").nth(1).wait_for()
        self._page.locator("[id^=tab-terminal]").first.press("Delete")
        expect(self._page.locator("[id^=tab-terminal]")).to_have_count(1)

    def reload(self) -> None:
        """Load the page again."""
        self._page.reload()
        wait_until_usable(self._page)
        self._page.locator("[id^=tab-terminal]").first.wait_for()

    def check(self) -> None:
        """Run a full check."""
        self._page.locator("#check").click()
        card = self._page.locator("#celebration")
        card.wait_for(timeout=MILLISECONDS_TO_CHECK)
        card.get_by_role("button", name="Close").click()


def measure_memory(browser: Browser, server: Server, hours: float) -> tuple[int, int]:
    """Do what a learner does in some hours; return the server's memory before and after, in bytes.

    Everything is spread evenly, as in a real hour.
    """
    planned = sorted(
        ((number + 0.5) / count, name)
        for name, per_hour in HOUR.items()
        for count in [max(1, round(per_hour * hours))]
        for number in range(count)
    )
    with opened(browser, server) as page:
        hour = Hour(page)
        hour.open_lesson()
        before, start = read_memory(server), time.monotonic()
        for number, (_, name) in enumerate(planned, 1):
            hour.do(name)
            if number * REPORTS // len(planned) > (number - 1) * REPORTS // len(planned):
                size, minutes = read_memory(server) / MB, (time.monotonic() - start) / 60
                sys.stdout.write(f"  {number} actions, {minutes:.1f} min: {size:.0f} MB\n")
                sys.stdout.flush()
    return before, read_memory(server)


def read_memory(server: Server) -> int:
    """Return the resident memory of the server's process, in bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    if found is None:
        sys.exit("the server has ended")
    return int(found[1]) * 1024


def measure(browser: Browser, folder: Path, options: argparse.Namespace) -> None:
    """Print every figure."""
    if not options.only_memory:
        measure_times(browser, folder, options)
    shutil.copy(ANSWER, folder / "exercises" / TASK)
    cleanup = Cleanup("bench-desk")
    cleanup.record_names(BUILD)
    server = Server.start(folder)
    try:
        before, after = (size / MB for size in measure_memory(browser, server, options.hours))
        text = f"{after:.0f} MB (before {before:.0f}), {options.hours:g} h of use"
        print_figure("memory", text, after, unit="MB")
    finally:
        server.stop()
        cleanup.remove()


def measure_times(browser: Browser, folder: Path, options: argparse.Namespace) -> None:
    """Print the figures of times and bytes."""
    started = measure_start(browser, folder, options.rounds)
    print_figure("first lesson", describe(started), statistics.median(started), unit="s")
    server = Server.start(folder)
    try:
        size = measure_load(browser, server) / MB
        print_figure("first load", f"{size:.2f} MB", size, unit="MB")
        with opened(browser, server) as page:
            keys = measure_keys(page, options.keys)
            p95 = percentile(keys, 0.95)
            text = f"{1000 * p95:.0f} ms (median {1000 * statistics.median(keys):.0f})"
            print_figure("key to screen", text, p95, unit="s")
            texts = measure_text(page, options.rounds)
            print_figure("text verdict", describe(texts), statistics.median(texts), unit="s")
        shutil.copy(ANSWER, folder / "exercises" / TASK)
        with opened(browser, server) as page:
            ours, theirs = map(statistics.median, measure_check(page, folder, options.rounds))
            text = f"{ours:.2f} s / {theirs:.2f} s = {ours / theirs:.2f}"
            print_figure("full verdict", text, ours / theirs, unit="times")
    finally:
        server.stop()


def main() -> None:
    """Read the options, and measure in a new folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often a time is measured (7)")
    parser.add_argument("--keys", type=int, default=200, help="how many keys are typed (200)")
    parser.add_argument("--hours", type=float, default=0.05, help="hours of scripted use (0.05)")
    parser.add_argument("--only-memory", action="store_true", help="measure only the memory")
    options = parser.parse_args()
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        sys.exit("No Chromium: install Debian's package chromium")
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        folder = Path(made)
        (folder / "exercises" / TASK).mkdir(parents=True)
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        measure(browser, folder, options)
        browser.close()


if __name__ == "__main__":
    main()
