"""Whole lessons at the desk, from the first block to full marks, without a network.

A lesson is worked through as a learner does it: Run for commands, Save for files, Stop for Ctrl-C.
The file of one block is typed into the editor instead, with the text of the kit's own answer.
"""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import pytest
from browser.conftest import launch
from browser.test_desk import WIDTHS, Server, opened, show
from browser.test_site import SCHEMES, faults
from harness import ROOT, until
from lessons.cleanup import Cleanup
from playwright.sync_api import expect

from workshop.site import lessons
from workshop.site.blocks import CONSOLE, CTRL_C, EDIT, FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from workshop.site.blocks import Block

SECONDS = 300
# Every name but the desk's own address fails to resolve: this browser has no network.
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
# What may follow Run: a comparison, or nothing if the lesson shows no output.
OUTCOMES = ("As in the lesson.", "The output differs from the lesson:")


@dataclass(frozen=True)
class Course:
    """A lesson, its exercise, and which of its file blocks is typed: its number among them."""

    lesson: str
    task: str
    points: int
    typed: int
    answer: str


COURSES = (
    Course("part-3/baby-steps", "baby-steps", 13, 0, "part-3/baby-steps/Dockerfile"),
    Course("degrees-api", "degrees-api", 26, -1, "degrees_api/Dockerfile"),
    Course("fastapi/task-5", "task-5", 22, 0, "fastapi/Dockerfile-nonroot"),
)
SCREENS = tuple(product(WIDTHS, SCHEMES))


@pytest.fixture(scope="module")
def offline(chromium: Browser) -> Iterator[Browser]:
    """A browser without a network."""
    browser = launch(chromium.browser_type, OFFLINE)
    yield browser
    browser.close()


@pytest.fixture
def cleanup() -> Iterator[Cleanup]:
    found = Cleanup("desk")
    yield found
    found.remove()


class Walk:
    """A learner who goes through a lesson in the page of a desk."""

    def __init__(self, page: Page, server: Server, course: Course, cleanup: Cleanup) -> None:
        self._page, self._server, self._course, self._cleanup = page, server, course, cleanup
        self._running: list[Locator] = []
        self.compared: list[str] = []

    def follow(self) -> None:
        """Do what each block of the lesson says."""
        name = f"lessons/{self._course.lesson}"
        text = (lessons.DOCS / f"{name}.md").read_text(encoding="utf-8")
        blocks = lessons.read(name, text).blocks
        writing = [block for block in blocks if block.kind in {FILE, EDIT}]
        typed = writing[self._course.typed]
        places = iter(range(len(blocks)))
        for block in blocks:
            if block.kind == CTRL_C:
                self._press_stop()
                continue
            place = self._page.locator("article div.highlight, article pre.diagram").nth(
                next(places)
            )
            if block is typed:
                self._type(block, self._reveal(place))
            elif block in writing:
                self._save(block, self._reveal(place))
            elif block.kind == CONSOLE:
                self._run(block, self._reveal(place))

    def _reveal(self, place: Locator) -> Locator:
        """Go to a block of the lesson, and open the hint that it is in."""
        show(self._page, "lesson")
        for summary in place.locator("xpath=ancestor::details[not(@open)]/summary").all():
            summary.click()
        place.scroll_into_view_if_needed()
        return place

    def _run(self, block: Block, place: Locator) -> None:
        for command in block.commands:
            self._cleanup.record_names(command.text)
        button = place.locator(".bar .run")
        expect(button).to_have_text("Run")
        button.click()
        compares = any(command.compares for command in block.commands)
        show(self._page, "lesson")
        if "keeps-running" in block.classes:
            expect(button).to_have_text("Stop", timeout=SECONDS * 1000)
            self._running.append(button)
        else:
            expect(button).to_have_text("Run", timeout=SECONDS * 1000)
        self._cleanup.record_images()
        if compares:
            result = place.locator(".result .good, .result .differs, .result .bad")
            try:
                expect(result).to_have_count(1, timeout=SECONDS * 1000)
            except AssertionError:
                screen = self._page.locator(".screen:not([hidden]) .xterm-rows").all_inner_texts()
                text = "\n".join(screen)
                pytest.fail(f"no result of {block.commands}; the terminals:\n{text}")
            said = place.locator(".result").inner_text()
            assert result.get_attribute("class") == "good", f"{block.commands}\n{said}"
            self.compared.append(said)

    def _press_stop(self) -> None:
        show(self._page, "lesson")
        button = self._running.pop()
        button.click()
        expect(button).to_have_text("Run", timeout=60_000)

    def _save(self, block: Block, place: Locator) -> None:
        """Press Save, and agree if it asks."""
        file = self._server.folder / block.title
        before = _read(file)
        place.get_by_role("button", name="Save").click()
        replace = self._page.get_by_role("button", name="Replace it")
        if before:
            replace.click()
        until(lambda: _read(file) != before, f"{block.title}, saved")

    def _type(self, block: Block, place: Locator) -> None:
        """Open the file of a block in the editor, and type the kit's answer with real keys."""
        answer = (ROOT / "services" / self._course.answer).read_text(encoding="utf-8")
        place.locator(".bar .link").click()
        text = self._page.locator("#text .cm-content")
        expect(text).to_be_focused()
        keyboard = self._page.keyboard
        keyboard.press("Control+A")
        keyboard.press("Delete")
        for number, line in enumerate(answer.splitlines()):
            if number:
                keyboard.press("Enter")
                # The editor indents a new line like the one before it.
                keyboard.press("Shift+Home")
                keyboard.press("Delete")
            keyboard.type(line)
        keyboard.press("Enter")
        file = self._server.folder / block.title
        until(lambda: _read(file).rstrip() == answer.rstrip(), f"{block.title}, typed")


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


@contextmanager
def desk(folder: Path) -> Iterator[Server]:
    """A desk beside the services, as in the kit's checkout."""
    shutil.copytree(ROOT / "services", folder / "services")
    server = Server.start(folder)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(params=SCREENS, ids=lambda screen: f"{screen[0]} {screen[1]}")
def visit(request, offline, tmp_path) -> Iterator[tuple[Page, Server]]:
    """An open desk in a wide and in a narrow window, light and dark."""
    width, scheme = request.param
    with desk(tmp_path) as server, opened(offline, server, width, scheme) as page:
        yield page, server


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.task)
def test_a_lesson_is_done_to_full_marks_without_a_network(course, visit, axe, cleanup, tmp_path):
    page, server = visit
    page.evaluate("document.querySelector('article').id = 'before'")
    page.locator("#lessons").select_option(f"lessons/{course.lesson}")
    expect(page.locator("#before")).to_have_count(0)
    expect(page).to_have_url(re.compile(rf"[?]lessons/{course.lesson}$"))
    walk = Walk(page, server, course, cleanup)
    walk.follow()
    assert walk.compared
    page.locator("#check").click()
    celebration = page.locator("#celebration")
    expect(celebration).to_contain_text(f"All {course.points} points", timeout=SECONDS * 1000)
    expect(page.locator("#status")).to_have_text(f"{course.points} of {course.points} points")
    page.screenshot(path=tmp_path / "end.png")
    celebration.get_by_role("button", name="Close").click()
    page.locator("#tab-checks").click()
    assert page.locator(".checks .failed, .checks .error").count() == 0
    for view in ("lesson", "editor", "tools"):
        show(page, view)
        assert faults(page, axe) == []
    width = page.viewport_size["width"]
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
