"""The report of a class, in a real browser."""

from __future__ import annotations

import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from browser.test_site import SCHEMES, faults, too_wide
from harness import serving
from unit.cohort import classes

from workshop.cohort.exports import html_report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

CLASSES = {
    "a class": classes.large,
    "several tasks": lambda: classes.large(12, ("task-1", "task-5")),
    "hostile": classes.hostile,
    "empty": list,
}
LIMITS = {"build memory": True, "host ports": False}


@contextmanager
def opened(
    chromium: Browser, file: Path, scheme: str = "light"
) -> Iterator[tuple[Page, list[str]]]:
    """Open a file; the list gets each dialog, error, and request for anything else."""
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 844})
    events: list[str] = []
    url = file.as_uri()

    def dismiss(dialog) -> None:
        events.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    try:
        page = context.new_page()
        page.on("dialog", dismiss)
        page.on("pageerror", lambda error: events.append(str(error)))
        page.on("console", lambda message: events.append(message.text))
        page.on("request", lambda r: events.append(r.url) if is_foreign(r.url, url) else None)
        page.goto(url)
        page.wait_for_load_state("networkidle")
        yield page, events
    finally:
        context.close()


def is_foreign(url: str, own: str) -> bool:
    return url.partition("#")[0] != own and not url.startswith("data:")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Return a function that writes the report of a class once."""
    written = {}

    def write(name: str) -> Path:
        if name not in written:
            folder = tmp_path_factory.mktemp("marks")
            (written[name],) = html_report.write(CLASSES[name](), folder, LIMITS)
        return written[name]

    return write


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", CLASSES)
def test_a_report_is_accessible_fits_and_executes_nothing_of_a_learner(
    name, scheme, chromium, report, axe
):
    with opened(chromium, report(name), scheme) as (page, events):
        assert page.locator("h1").count() == 1
        assert faults(page, axe) == []
        page.locator("#open").click()
        # The files of the answers, too.
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        assert faults(page, axe) == []
        assert too_wide(page) == []
        assert page.evaluate("window.attacked") is None
        assert events == []


class Attacker(ThreadingHTTPServer):
    """A server that records the requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.paths: list[str] = []

    @property
    def attack(self) -> str:
        """A script, a request, and an event handler."""
        url = f"http://127.0.0.1:{self.server_port}/x"
        return (
            "<script>window.script = 1</script>"
            f"<img src={url} onload=window.handler=1 onerror=window.handler=1>"
        )


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def attacker() -> Iterator[Attacker]:
    with serving(Attacker()) as server:
        yield server


def damage(chromium: Browser, text: str, folder: Path) -> list[object]:
    """Return which parts of an attack worked on a page."""
    file = folder / "attacked.html"
    file.write_text(text, encoding="utf-8")
    with opened(chromium, file) as (page, _):
        return page.evaluate("[window.script, window.handler]")


def test_the_policy_stops_what_was_not_escaped(chromium, report, attacker, tmp_path):
    text = report("a class").read_text(encoding="utf-8")
    attacked = text.replace("<main", f"{attacker.attack}<main")
    assert attacked != text
    assert damage(chromium, attacked, tmp_path) == [None, None]
    assert attacker.paths == []
    # Without the policy, all of it works.
    bare = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", attacked)
    assert damage(chromium, bare, tmp_path) == [1, 1]
    assert attacker.paths == ["/x"]


def tab_to(page: Page, selector: str) -> None:
    """Press the tab key until an element has the focus."""
    for _ in range(100):
        page.keyboard.press("Tab")
        if page.evaluate("query => document.activeElement.matches(query)", selector):
            return
    pytest.fail(f"the tab key does not reach {selector}")


def column(page: Page, index: int) -> list[str]:
    """Return the texts of a column of the first table, without hidden lines."""
    cells = f"table >> nth=0 >> tbody tr:visible > :nth-child({index})"
    return [text.strip() for text in page.locator(cells).all_inner_texts()]


def test_the_keyboard_sorts_the_marks(chromium, report):
    with opened(chromium, report("a class")) as (page, events):
        before = column(page, 2)
        tab_to(page, "th:nth-child(2) [data-sort]")
        page.keyboard.press("Enter")
        marks = [-1.0 if text == "?" else float(text) for text in column(page, 2)]
        assert marks == sorted(marks)
        assert sorted(before) == sorted(column(page, 2))
        heading = page.locator("th:nth-child(2)").first
        assert heading.get_attribute("aria-sort") == "ascending"
        page.keyboard.press("Space")
        marks = [-1.0 if text == "?" else float(text) for text in column(page, 2)]
        assert marks == sorted(marks, reverse=True)
        assert heading.get_attribute("aria-sort") == "descending"
        tab_to(page, "th:nth-child(5) [data-sort]")
        page.keyboard.press("Enter")
        assert page.locator("th[aria-sort]").count() == 1
        assert events == []


def test_the_keyboard_filters_the_learners(chromium, report):
    with opened(chromium, report("a class")) as (page, events):
        tab_to(page, "#needle")
        page.keyboard.type("ADA L")
        assert column(page, 1) == ["Ada Lovelace"]
        assert page.locator("#shown").inner_text() == "1 of 30 shown"
        assert page.locator("details.learner:visible").count() == 1
        page.keyboard.press("Control+A")
        page.keyboard.press("Delete")
        tab_to(page, "#outcome")
        page.keyboard.type("ungr")
        assert set(column(page, 4)) == {"ungradable"}
        assert page.locator("#shown").inner_text() == f"{len(column(page, 4))} of 30 shown"
        page.keyboard.press("Home")
        assert len(column(page, 1)) == 30
        assert events == []


def test_a_link_opens_the_section_of_a_learner(chromium, report):
    with opened(chromium, report("a class")) as (page, events):
        tab_to(page, "tbody a")
        page.keyboard.press("Enter")
        section = page.locator("#learner-1")
        assert section.get_attribute("open") is not None
        assert "Ada Lovelace" in section.inner_text()
        assert events == []


def test_a_message_leads_to_the_line_that_it_blames_and_back(chromium, report):
    with opened(chromium, report("a class")) as (page, events):
        page.locator("tbody a").first.click()
        learner = page.locator("#learner-1")
        learner.locator("dd a").first.click()
        line = learner.locator("pre.source b").first
        line.wait_for(state="visible")
        assert "line 3" in learner.locator("dd a").first.inner_text()
        assert line.inner_text().startswith("WORKDIR /code")
        assert learner.locator("pre.source > *").nth(2).get_attribute("id") == line.get_attribute(
            "id"
        )
        line.locator("a").first.click()
        assert page.evaluate("location.hash").startswith("#message-")
        assert events == []


def test_paper_shows_what_the_screen_folds_away(chromium, report):
    with opened(chromium, report("a class")) as (page, events):
        page.evaluate(
            "addEventListener('beforeprint', () => { window.folded ="
            " document.querySelectorAll('details:not([open])').length; })"
        )
        pdf = page.pdf(prefer_css_page_size=True)
        assert pdf.startswith(b"%PDF-")
        assert len(re.findall(rb"/Type /Page\b(?!s)", pdf)) > 5
        assert page.evaluate("window.folded") == 0
        assert page.locator("details[open]").count() == 0
        assert events == []
