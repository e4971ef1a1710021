"""The desk in a real browser: what a learner clicks and types."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from browser.test_site import SCHEMES, faults
from harness import ROOT, WORKSHOP, until
from playwright.sync_api import expect

from desk.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

DOCKERFILE = "exercises/baby-steps/Dockerfile"
WORKING = "FROM ubuntu:24.04\nRUN echo a\n"
WIDTHS = (390, 1280)
REPORT_VIOLATIONS = """addEventListener("securitypolicyviolation", (event) =>
    violated(event.violatedDirective, event.blockedURI, event.sourceFile ?? ""))"""


@dataclass
class Server:
    """A desk in a new folder, its first link, and the lines that it has printed up to that."""

    folder: Path
    process: subprocess.Popen[str]
    link: str
    said: list[str]
    environment: dict[str, str]

    @classmethod
    def start(
        cls, folder: Path, port: int = 0, *options: str, first: str = "", **variables: str
    ) -> Server:
        """Start it; Python imports from the folder `first` before any other."""
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (first, str(ROOT)))),
            # The settings of this machine's shell are not part of a test.
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
            **variables,
        }
        argv = (*WORKSHOP, "learn", "--no-browser", "--port", str(port), *options)
        process = subprocess.Popen(
            argv, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line.rstrip("\n"))
            if found := re.search(r"http://\S+", line):
                return cls(folder, process, found[0], said, environment)
        pytest.fail("the desk does not start")

    @property
    def port(self) -> int:
        return int(re.search(r":(\d+)/", self.link)[1])

    @property
    def origin(self) -> str:
        return self.link.partition("/?")[0]

    def new_link(self) -> str:
        """Return a link for another window, as a second `workshop learn` does."""
        (file,) = (self.folder / "cache/workshop/desk").glob("*.json")
        return Session(file).leave_link()

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    found = Server.start(tmp_path)
    yield found
    found.stop()


@contextmanager
def opened(chromium: Browser, server: Server, width: int = 1280, scheme: str = "light"):
    """Open the desk's page; its errors and what its policy has blocked fail the test."""
    context = chromium.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 844}, reduced_motion="reduce"
    )
    errors: list[str] = []
    try:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda r: None if is_own(r.url, server) else errors.append(r.url))
        page.on("websocket", lambda w: None if is_own(w.url, server) else errors.append(w.url))
        page.expose_function("violated", lambda *found: errors.append(" ".join(found)))
        page.add_init_script(REPORT_VIOLATIONS)
        page.goto(server.new_link())
        page.wait_for_selector("article h1")
        page.wait_for_selector(".xterm-rows", state="attached")
        yield page
        assert errors == []
    finally:
        context.close()


def is_own(url: str, server: Server) -> bool:
    own = (f"{scheme}://127.0.0.1:{server.port}/" for scheme in ("http", "ws"))
    return url.startswith((*own, "data:", "blob:"))


def block(page: Page, text: str):
    """Return the first block of the lesson that contains a text."""
    return page.locator("article .highlight").filter(has_text=text).first


def show(page: Page, view: str) -> None:
    """Show a part of the page, which a narrow screen may hide."""
    tab = page.locator(f"#views [data-view={view}]")
    if tab.is_visible():
        tab.click()


def type_text(page: Page, text: str) -> None:
    """Replace the text in the editor."""
    show(page, "editor")
    page.locator("#text .cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(text)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_accessible_and_fits(width, scheme, chromium, server, axe):
    with opened(chromium, server, width, scheme) as page:
        for view in ("lesson", "editor", "tools"):
            show(page, view)
            assert faults(page, axe) == []
        for name in ("checks", "progress", "image"):
            page.locator(f"#tab-{name}").click()
            assert faults(page, axe) == []
        needed = page.evaluate("document.scrollingElement.scrollWidth")
        assert needed <= width


def test_the_names_in_a_page_of_the_course_are_not_those_of_the_desk(chromium, server):
    """The scorecard has a heading with the id `files`."""
    with opened(chromium, server) as page:
        link = "document.querySelector('article a[href]')"
        page.evaluate(f"{link}.href = new URL('site/instructors/scorecard/#files', location)")
        page.locator("article a[href]").first.click()
        expect(page.locator("#lesson-files")).to_be_in_viewport()
        repeated = """() => {
            const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
            return ids.filter((id, at) => ids.indexOf(id) !== at);
        }"""
        assert page.evaluate(repeated) == []
        page.locator("#lessons").select_option("lessons/part-3/baby-steps")
        expect(page.locator("#file-tabs")).to_contain_text("Dockerfile")


@pytest.mark.parametrize("width", WIDTHS)
def test_blocks_run_and_save(width, chromium, server):
    with opened(chromium, server, width) as page:
        start = block(page, "workshop start baby-steps")
        start.get_by_role("button", name="Run").click()
        expect(page.locator("#tools")).to_be_visible()
        show(page, "lesson")
        expect(start.locator(".result")).to_have_text("As in the lesson.")
        file = block(page, "UBUNTU_VERSION=24.04")
        file.get_by_role("button", name="Save").click()
        saved = server.folder / DOCKERFILE
        until(saved.is_file, "the file")
        assert saved.read_text() == (ROOT / "services/part-3/baby-steps/Dockerfile").read_text()
        # What differs is only replaced after a question.
        saved.write_text(WORKING)
        file.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Keep my file").click()
        assert saved.read_text() == WORKING
        file.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Replace it").click()
        until(lambda: saved.read_text() != WORKING, "the replaced file")
        assert block(page, "Get-ChildItem").get_by_role("button", name="Run").count() == 0


def test_a_diagram_is_a_picture_with_a_text(chromium, server):
    with opened(chromium, server) as page:
        page.locator("#lessons").select_option("lessons/part-3/publishing")
        picture = page.locator("pre.diagram img")
        expect(picture).to_have_attribute("alt", re.compile("^Diagram: "))
        page.wait_for_selector("pre.diagram img")
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
        refused = "() => { try { document.body.innerHTML = ''; } catch { return true; } }"
        assert page.evaluate(refused)


def test_a_terminal_survives_a_reload(chromium, server):
    with opened(chromium, server) as page:
        screen = page.locator(".xterm-rows").first
        page.locator(".xterm-helper-textarea").first.focus()
        page.keyboard.type("kept=before; echo sh''own\n")
        expect(screen).to_contain_text("shown")
        page.reload()
        expect(screen).to_contain_text("shown")
        page.locator(".xterm-helper-textarea").first.focus()
        page.keyboard.type("echo $kept-after\n")
        expect(screen).to_contain_text("before-after")
        # What the screen answered to the programs before the reload is not typed again.
        assert ";" not in screen.inner_text().splitlines()[-1]


def test_the_text_is_checked_while_it_is_written(chromium, server):
    (server.folder / "exercises/baby-steps").mkdir(parents=True)
    with opened(chromium, server) as page:
        type_text(page, "FROM debian:12\n")
        until((server.folder / DOCKERFILE).is_file, "the saved file")
        mark = page.locator(".cm-lint-marker-error")
        expect(mark).to_have_count(1)
        mark.hover()
        expect(page.locator(".cm-tooltip-lint")).to_contain_text("Expected:")
        page.locator("#tab-checks").click()
        failed = page.locator(".checks .failed").filter(has_text="The base image")
        failed.locator("summary").click()
        failed.get_by_role("button", name="Dockerfile, line 1").click()
        assert page.evaluate("document.activeElement.closest('.cm-editor') !== null")
        type_text(page, WORKING)
        expect(mark).to_have_count(0)
        # Undo reaches back beyond the saves.
        text = page.locator("#text .cm-content")
        while "debian" not in text.inner_text():
            page.keyboard.press("Control+Z")
        expect(mark).to_have_count(1)


def test_a_change_outside_is_shown_and_can_be_undone(chromium, server):
    file = server.folder / DOCKERFILE
    file.parent.mkdir(parents=True)
    with opened(chromium, server) as page:
        type_text(page, WORKING)
        until(file.is_file, "the saved file")
        file.write_text(f"# outside\n{WORKING}")
        expect(page.locator("#text .cm-content")).to_contain_text("# outside")
        page.locator("#text .cm-content").click()
        page.keyboard.press("Control+Z")
        until(lambda: file.read_text() == WORKING, "the undone change")


def test_two_pages_on_one_file_lose_nothing(chromium, server):
    file = server.folder / DOCKERFILE
    file.parent.mkdir(parents=True)
    with opened(chromium, server) as first, opened(chromium, server) as second:
        type_text(first, "FROM first\n")
        expect(second.locator("#text .cm-content")).to_contain_text("FROM first")
        # The second page does not learn of the next change before it saves its own.
        second.route("**/api/file?*", lambda route: route.abort())
        type_text(first, "FROM mine\n")
        until(lambda: "mine" in file.read_text(), "the first page's text")
        type_text(second, "FROM yours\n")
        conflict = second.locator("#conflict")
        expect(conflict).to_contain_text("also changed outside")
        assert file.read_text() == "FROM mine\n"
        conflict.get_by_role("button", name="Keep mine").click()
        until(lambda: "yours" in file.read_text(), "the second page's text")


def test_a_page_outlives_its_server(chromium, tmp_path):
    server = Server.start(tmp_path)
    file = tmp_path / DOCKERFILE
    file.parent.mkdir(parents=True)
    with opened(chromium, server) as page:
        type_text(page, "FROM saved\n")
        until(file.is_file, "the saved file")
        server.stop(signal.SIGKILL)
        page.keyboard.insert_text("# typed while nobody listened\n")
        expect(page.locator("#lost")).to_be_visible()
        assert "typed" not in file.read_text()
        again = Server.start(tmp_path, server.port)
        try:
            expect(page.locator("#lost")).to_be_hidden()
            until(lambda: "typed while" in file.read_text(), "the unsaved text")
            expect(page.locator(".xterm-rows")).to_have_count(1)
        finally:
            again.stop()


def test_a_learners_text_is_never_markup(chromium, server):
    attack = "<img src=x onerror='window.attacked=1'><script>window.attacked=1</script>"
    (server.folder / "exercises/baby-steps").mkdir(parents=True)
    with opened(chromium, server) as page:
        type_text(page, f'FROM {attack}\nCMD ["{attack}"]\n')
        page.locator("#tab-checks").click()
        expect(page.locator(".checks .failed").first).to_be_visible()
        page.locator("#tab-terminal-1").click()
        page.locator(".xterm-helper-textarea").first.focus()
        page.keyboard.type(f'echo "{attack}"\n')
        expect(page.locator(".xterm-rows").first).to_contain_text("onerror")
        assert page.evaluate("window.attacked") is None
        assert page.locator("img[src=x]").count() == 0


def test_the_keyboard_moves_the_dividers_and_between_the_parts(chromium, server):
    with opened(chromium, server) as page:
        divider = page.locator("[role=separator]").first
        divider.focus()
        before = page.locator("#lesson").bounding_box()["width"]
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        assert page.locator("#lesson").bounding_box()["width"] < before
        for inside in ("#lesson", "#editor", "#tools", "#lesson"):
            page.keyboard.press("F6")
            assert page.evaluate("s => document.activeElement.closest(s) !== null", inside)


def test_an_instructor_sees_one_step_after_the_other_and_no_answers(chromium, tmp_path):
    server = Server.start(tmp_path, 0, "--present")
    try:
        with opened(chromium, server) as page:
            assert page.locator("article details").count() == 0
            later = page.locator("article > .later")
            count = later.count()
            page.locator("#lesson").focus()
            page.keyboard.press("ArrowRight")
            assert 0 < later.count() < count
            page.keyboard.press("ArrowLeft")
            assert later.count() == count
    finally:
        server.stop()


@pytest.mark.usefixtures("engine")
def test_a_check_streams_its_results_to_full_marks(chromium, server):
    folder = server.folder / "exercises/baby-steps"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "services/part-3/baby-steps/Dockerfile", folder)
    with opened(chromium, server) as page:
        page.locator("#check").click()
        expect(page.locator("#status")).to_have_text("Checking")
        expect(page.locator("#celebration")).to_contain_text("All 13 points", timeout=180_000)
        expect(page.locator("#status")).to_have_text("13 of 13 points")
        page.locator("#celebration").get_by_role("button", name="Next").click()
        expect(page.locator("article h1")).to_contain_text("Several containers")
        page.locator("#tab-progress").click()
        expect(page.locator(".progress .passed")).to_have_count(1)
    assert 'state = "passed"' in (server.folder / "exercises/progress.toml").read_text()
