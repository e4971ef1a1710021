"""Every page of the site, in a real browser."""

from __future__ import annotations

import contextlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from harness import ROOT
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from workshop.site import lessons

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

DOCS = ROOT / "docs"
NAMES = sorted(
    path.relative_to(DOCS).with_suffix("").as_posix()
    for path in DOCS.rglob("*.md")
    if path.name != "TEMPLATE.md"
)
WITH_DIAGRAM = [page.name for page in lessons.pages() if page.count(lessons.DIAGRAM)]
LESSON = "lessons/part-3/baby-steps"
MUSEUM = ROOT / "museum"
EXHIBITS = sorted(file.parent.name for file in MUSEUM.glob("*/exhibit.toml"))
WIDTHS = (390, 1280)
NEEDED_WIDTH = "document.scrollingElement.scrollWidth"
SCHEMES = ("light", "dark")


@dataclass(frozen=True)
class Visit:
    """An open page, its errors, and its requests."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def visiting(chromium: Browser, course: str, name: str, scheme: str = "light") -> Iterator[Visit]:
    """Open a page in this colour scheme."""
    path = name.removesuffix("index")
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 844})
    try:
        visit = Visit(context.new_page())
        record(visit, course)
        visit.page.goto(f"{course}/{path}{'' if path.endswith('/') or not path else '/'}")
        if name in WITH_DIAGRAM:
            visit.page.wait_for_selector("div.diagram svg")
        visit.page.wait_for_load_state("networkidle")
        yield visit
    finally:
        context.close()


def record(visit: Visit, course: str) -> None:
    """Record errors, failed requests, and requests to other hosts."""
    page, errors = visit.page, visit.errors

    def request(url: str) -> None:
        visit.requests.append(url)
        if not url.startswith((course, "data:", "blob:")):
            errors.append(f"another host: {url}")

    page.on("request", lambda r: request(r.url))
    page.on("requestfailed", lambda r: errors.append(f"failed: {r.url}"))
    page.on("response", lambda r: errors.append(f"{r.status}: {r.url}") if not r.ok else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if m.type in {"error", "warning"} else None)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_no_errors_is_accessible_and_fits(name, scheme, chromium, course, axe):
    """All in one visit, because opening a page takes longer than the checks."""
    with visiting(chromium, course, name, scheme) as visit:
        assert visit.page.locator("h1").count() == 1
        assert faults(visit.page, axe) == []
        assert too_wide(visit.page) == []
        assert visit.errors == []


def too_wide(page: Page) -> list[str]:
    """Return the window widths in pixels at which the page scrolls horizontally."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        # The theme moves its menus for a moment after a change of the width.
        with contextlib.suppress(PlaywrightTimeout):
            page.wait_for_function(f"{NEEDED_WIDTH} <= {width}", timeout=3000)
        if (needs := page.evaluate(NEEDED_WIDTH)) > width:
            found.append(f"it needs {needs} px of {width}")
    return found


def faults(page: Page, axe: str) -> list[str]:
    """Return the serious and critical violations that axe-core finds on the page."""
    page.evaluate(axe)
    return [
        f"{fault['id']}: {node['html']} {node['any'][:1]}"
        for fault in page.evaluate("axe.run()")["violations"]
        if fault["impact"] in {"serious", "critical"}
        for node in fault["nodes"]
    ]


BAD = "<h1>x</h1><img src='data:,'><p style='width: 2000px; color: #eee'>pale</p>"


def test_the_faults_of_a_bad_page_are_found(chromium, course, axe):
    with visiting(chromium, course, "index") as visit:
        visit.page.set_content(f"{BAD}<img src='http://127.0.0.1:9/x.png' alt='x'>")
        visit.page.wait_for_load_state("networkidle")
        assert len(too_wide(visit.page)) == 2
        found = " ".join(faults(visit.page, axe))
        assert "image-alt" in found
        assert "color-contrast" in found
        assert "another host: http://127.0.0.1:9/x.png" in visit.errors


@pytest.mark.parametrize("name", WITH_DIAGRAM)
def test_diagrams_are_redrawn_for_the_other_theme(name, chromium, course):
    with visiting(chromium, course, name) as visit:
        page = visit.page
        assert page.locator("pre.diagram").count() == 0
        before = page.locator("div.diagram svg").first.get_attribute("id")
        page.locator("label[for=__palette_1]").click()
        page.wait_for_function(
            "id => document.querySelector('div.diagram svg')?.id !== id", arg=before
        )
        assert page.evaluate("document.body.dataset.mdColorScheme") == "slate"
        assert visit.errors == []


def test_mermaid_is_loaded_only_on_pages_with_a_diagram(chromium, course):
    for name in (LESSON, *WITH_DIAGRAM[:1]):
        with visiting(chromium, course, name) as visit:
            loaded = any(url.endswith("/mermaid.js") for url in visit.requests)
            assert loaded == (name in WITH_DIAGRAM)


def test_every_diagram_is_drawn(chromium, course):
    for page in lessons.pages():
        if page.name in WITH_DIAGRAM:
            with visiting(chromium, course, page.name) as visit:
                drawn = visit.page.locator("div.diagram svg").count()
                assert drawn == page.count(lessons.DIAGRAM)


def test_the_copy_button_copies_only_the_commands(chromium, course):
    with visiting(chromium, course, LESSON) as visit:
        page = visit.page
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        (lesson,) = [found for found in lessons.pages() if found.name == LESSON]
        blocks = [block for block in lesson.blocks if block.kind == lessons.CONSOLE]
        buttons = page.locator("div.language-console button.md-code__button[data-clipboard-target]")
        assert buttons.count() == len(blocks)
        for number, block in enumerate(blocks):
            button = buttons.nth(number)
            if not button.is_visible():
                continue
            button.click()
            copied = page.evaluate("navigator.clipboard.readText()")
            typed = [c.text for c in block.commands for c in (c, *c.inner)]
            assert copied.splitlines() == "\n".join(typed).splitlines()


def test_the_search_finds_a_lesson(chromium, course):
    with visiting(chromium, course, "index") as visit:
        page = visit.page
        page.locator("input.md-search__input").click()
        page.locator("input.md-search__input").press_sequentially("speech bubble")
        page.wait_for_selector(f".md-search-result__link[href*='{LESSON}']", state="attached")
        assert visit.errors == []


@pytest.mark.parametrize("name", EXHIBITS)
def test_the_search_finds_an_exhibit_by_its_pasted_error(name, chromium, course):
    lines = (MUSEUM / name / "error.txt").read_text(encoding="utf-8").splitlines()
    with visiting(chromium, course, "museum/index") as visit:
        page = visit.page
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.evaluate("text => navigator.clipboard.writeText(text)", "\n".join(lines))
        page.locator("input.md-search__input").click()
        page.keyboard.press("Control+V")
        page.wait_for_selector(f".md-search-result__link[href*='{name}']", state="attached")
        assert visit.errors == []


def test_the_first_lesson_is_small(chromium, course):
    """Under 400 kB, without the search index."""
    with visiting(chromium, course, LESSON) as visit:
        sizes = visit.page.evaluate(
            "performance.getEntries().filter(e => 'transferSize' in e)"
            ".map(e => [e.name, e.transferSize])"
        )
        weight = sum(size for name, size in sizes if "/search/" not in name)
        assert 10_000 < weight < 400_000


def test_a_table_with_long_texts_shows_each_row_as_a_block_on_a_phone(chromium, course):
    with visiting(chromium, course, "reference/checks") as visit:
        cell = visit.page.locator("table[data-stacked] td").first
        for width, display in ((390, "block"), (1280, "table-cell")):
            visit.page.set_viewport_size({"width": width, "height": 844})
            assert cell.evaluate("cell => getComputedStyle(cell).display") == display
        assert visit.page.locator("td[data-column=points]").first.inner_text() == "1"
