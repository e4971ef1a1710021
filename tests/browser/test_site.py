"""Every page of the site, in a real browser."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from harness import ROOT

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
DRAWN = [page.name for page in lessons.pages() if page.count(lessons.DIAGRAM)]
LESSON = "lessons/part-3/baby-steps"
MUSEUM = ROOT / "museum"
EXHIBITS = sorted(file.parent.name for file in MUSEUM.glob("*/exhibit.toml"))
WIDTHS = (390, 1280)
SCHEMES = ("light", "dark")


@dataclass(frozen=True)
class Visit:
    """A page that is open, and what went wrong while it was."""

    page: Page
    wrong: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def visiting(chromium: Browser, course: str, name: str, scheme: str = "light") -> Iterator[Visit]:
    """One page, as a reader with this taste and this window sees it."""
    path = name.removesuffix("index")
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 844})
    try:
        visit = Visit(context.new_page())
        heed(visit, course)
        visit.page.goto(f"{course}/{path}{'' if path.endswith('/') or not path else '/'}")
        if name in DRAWN:
            visit.page.wait_for_selector("div.diagram svg")
        visit.page.wait_for_load_state("networkidle")
        yield visit
    finally:
        context.close()


def heed(visit: Visit, course: str) -> None:
    """Take note of errors, of requests that fail, and of those to other hosts."""

    def ask(url: str) -> None:
        visit.asked.append(url)
        if not url.startswith((course, "data:", "blob:")):
            visit.wrong.append(f"another host: {url}")

    page = visit.page
    page.on("request", lambda request: ask(request.url))
    page.on("requestfailed", lambda request: visit.wrong.append(f"failed: {request.url}"))
    page.on("response", lambda r: visit.wrong.append(f"{r.status}: {r.url}") if not r.ok else None)
    page.on("pageerror", lambda error: visit.wrong.append(str(error)))
    page.on(
        "console",
        lambda said: visit.wrong.append(said.text) if said.type in {"error", "warning"} else None,
    )


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_sound_wide_and_narrow_to_everyone(name, scheme, chromium, course, axe):
    """One visit for all of it: opening a page takes longer than looking at it."""
    with visiting(chromium, course, name, scheme) as visit:
        assert visit.page.locator("h1").count() == 1
        assert faults(visit.page, axe) == []
        assert too_wide(visit.page) == []
        assert visit.wrong == []


def too_wide(page: Page) -> list[str]:
    """The windows, by their width in pixels, in which the page scrolls sideways."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        if (needs := page.evaluate("document.scrollingElement.scrollWidth")) > width:
            found.append(f"it needs {needs} px of {width}")
    return found


def faults(page: Page, axe: str) -> list[str]:
    """What axe-core finds on the page that is serious or critical."""
    page.evaluate(axe)
    return [
        f"{fault['id']}: {node['html']} {node['any'][:1]}"
        for fault in page.evaluate("axe.run()")["violations"]
        if fault["impact"] in {"serious", "critical"}
        for node in fault["nodes"]
    ]


BAD = "<h1>x</h1><img src='data:,'><p style='width: 2000px; color: #eee'>pale</p>"


def test_a_bad_page_is_caught(chromium, course, axe):
    with visiting(chromium, course, "index") as visit:
        visit.page.set_content(f"{BAD}<img src='http://127.0.0.1:9/x.png' alt='x'>")
        visit.page.wait_for_load_state("networkidle")
        assert len(too_wide(visit.page)) == 2
        found = " ".join(faults(visit.page, axe))
        assert "image-alt" in found
        assert "color-contrast" in found
        assert "another host: http://127.0.0.1:9/x.png" in visit.wrong


@pytest.mark.parametrize("name", DRAWN)
def test_diagrams_are_drawn_again_for_the_other_theme(name, chromium, course):
    with visiting(chromium, course, name) as visit:
        page = visit.page
        assert page.locator("pre.diagram").count() == 0
        before = page.locator("div.diagram svg").first.get_attribute("id")
        page.locator("label[for=__palette_1]").click()
        page.wait_for_function(
            "id => document.querySelector('div.diagram svg')?.id !== id", arg=before
        )
        assert page.evaluate("document.body.dataset.mdColorScheme") == "slate"
        assert visit.wrong == []


def test_mermaid_is_loaded_only_where_there_is_a_diagram(chromium, course):
    for name in (LESSON, *DRAWN[:1]):
        with visiting(chromium, course, name) as visit:
            loaded = any(url.endswith("/mermaid.js") for url in visit.asked)
            assert loaded == (name in DRAWN)


def test_a_page_with_one_diagram_more_has_one_drawing_more(chromium, course):
    for page in lessons.pages():
        if page.name in DRAWN:
            with visiting(chromium, course, page.name) as visit:
                drawn = visit.page.locator("div.diagram svg").count()
                assert drawn == page.count(lessons.DIAGRAM)


def test_the_copy_button_copies_what_is_typed_and_nothing_else(chromium, course):
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


def test_the_search_finds_what_a_lesson_says(chromium, course):
    with visiting(chromium, course, "index") as visit:
        page = visit.page
        page.locator("input.md-search__input").click()
        page.locator("input.md-search__input").press_sequentially("speech bubble")
        page.wait_for_selector(f".md-search-result__link[href*='{LESSON}']", state="attached")
        assert visit.wrong == []


@pytest.mark.parametrize("name", EXHIBITS)
def test_the_search_finds_the_error_of_an_exhibit_as_it_is_pasted(name, chromium, course):
    lines = (MUSEUM / name / "error.txt").read_text(encoding="utf-8").splitlines()
    with visiting(chromium, course, "museum/index") as visit:
        page = visit.page
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.evaluate("text => navigator.clipboard.writeText(text)", "\n".join(lines))
        page.locator("input.md-search__input").click()
        page.keyboard.press("Control+V")
        page.wait_for_selector(f".md-search-result__link[href*='{name}']", state="attached")
        assert visit.wrong == []


def test_the_first_lesson_is_light(chromium, course):
    """Under 400 kB, without the index of the search."""
    with visiting(chromium, course, LESSON) as visit:
        sizes = visit.page.evaluate(
            "performance.getEntries().filter(e => 'transferSize' in e)"
            ".map(e => [e.name, e.transferSize])"
        )
        weight = sum(size for name, size in sizes if "/search/" not in name)
        assert 10_000 < weight < 400_000
