"""The full check and the image of an exercise in a real browser, with real builds."""

from __future__ import annotations

import re

import pytest
from browser.test_desk import DOCKERFILE, WIDTHS, Server, opened, show, type_text
from browser.test_site import faults
from harness import ROOT
from lessons.cleanup import Cleanup
from playwright.sync_api import expect

ANSWER = ROOT / "services/part-3/baby-steps/Dockerfile"
BUILD = "docker build -t first-container exercises/baby-steps"
BUILD_MILLISECONDS = 180_000
LAYER = "RUN head -c {megabytes}000000 /dev/urandom > /{name}\n"

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def server(tmp_path):
    (tmp_path / DOCKERFILE).parent.mkdir(parents=True)
    cleanup = Cleanup("desk-checks")
    cleanup.record_names(BUILD)
    found = Server.start(tmp_path)
    yield found
    found.stop()
    cleanup.remove()


def build(page) -> None:
    """Build the lesson's image, as typed into the terminal."""
    show(page, "tools")
    page.locator("#tab-terminal-1").click()
    page.keyboard.press("Control+L")
    page.keyboard.type(f"{BUILD} && echo built-$?\n")
    screen = page.locator(".screen:not([hidden]) .xterm-rows")
    expect(screen).to_contain_text("built-0", timeout=BUILD_MILLISECONDS)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_image_is_shown_by_line_and_what_the_last_build_changed(width, chromium, server, axe):
    first = f"FROM ubuntu:24.04\n\n{LAYER.format(megabytes=3, name='a')}"
    with opened(chromium, server, width) as page:
        type_text(page, first)
        expect(page.locator("#file-tabs .mark")).to_have_count(0)
        build(page)
        page.locator("#tab-image").click()
        rows = page.locator(".layers tbody tr")
        # The base is one row, and then comes one for each line with a layer.
        own = rows.filter(has_text="head -c 3000000")
        expect(own).to_have_count(1, timeout=BUILD_MILLISECONDS)
        expect(own.locator("td").nth(0)).to_have_text("3")
        expect(own.locator("td").nth(1)).to_contain_text("3.0 MB")
        count = rows.count()
        assert faults(page, axe) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        panel = page.locator("#panel-image")
        assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth")
        own.get_by_role("button", name="3").click()
        expect(page.locator("#text .cm-content")).to_be_focused()
        type_text(page, first + LAYER.format(megabytes=4, name="b"))
        expect(page.locator("#file-tabs .mark")).to_have_count(0)
        show(page, "tools")
        page.locator("#tab-progress").click()
        page.locator("#tab-image").click()
        changed = "The Dockerfile has changed since this image was built"
        expect(panel).to_contain_text(changed, timeout=BUILD_MILLISECONDS)
        build(page)
        page.locator("#tab-image").click()
        summary = panel.locator(".summary")
        delta = "+4.0 MB since the build before"
        expect(summary).to_contain_text(delta, timeout=BUILD_MILLISECONDS)
        expect(rows).to_have_count(count + 1)
        expect(rows.filter(has_text="head -c 4000000")).to_contain_text("(new)")


def test_at_each_save_the_check_runs_and_says_what_has_changed(chromium, server):
    with opened(chromium, server) as page:
        type_text(page, "FROM ubuntu:24.04\nRUN false\n")
        status = page.locator("#status")
        page.locator("#tab-progress").click()
        page.locator("#auto").check()
        type_text(page, "FROM ubuntu:24.04\nRUN false # again\n")
        expect(status).to_have_text("Checking")
        button = page.locator("#check")
        expect(button).to_have_text("Stop")
        expect(button).to_have_text("Check", timeout=BUILD_MILLISECONDS)
        # It starts while the learner types, and takes them nowhere else.
        expect(page.locator("#text .cm-content")).to_be_focused()
        expect(page.locator("#panel-progress")).to_be_visible()
        page.locator("#tab-checks").click()
        failed = page.locator(".checks .failed").first
        expect(failed).to_be_visible()
        expect(failed.locator("dl")).to_contain_text("fix")
        type_text(page, ANSWER.read_text())
        expect(page.locator("#celebration")).to_be_visible(timeout=BUILD_MILLISECONDS)
        expect(page.locator(".checks .tag.good", has_text="fixed").first).to_be_visible()
        # It covers nothing, at any width.
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 844})
            card = page.locator("#celebration").bounding_box()
            below = page.locator("main").bounding_box()
            above = page.locator("#views" if width < 800 else "header").bounding_box()
            assert above["y"] + above["height"] <= card["y"]
            assert card["y"] + card["height"] <= below["y"]
        page.locator("#auto").uncheck()
        # The verdict is that of `workshop check`, which the page only shows.
        page.set_viewport_size({"width": 1280, "height": 844})
        page.locator("#tab-terminal-1").click()
        page.keyboard.type("workshop check baby-steps\n")
        screen = page.locator(".screen:not([hidden]) .xterm-rows")
        expect(screen).to_contain_text(re.compile("13 of 13 points"), timeout=BUILD_MILLISECONDS)
        expect(status).to_have_text("13 of 13 points")


def test_a_check_that_is_stopped_says_so_and_leaves_no_result(chromium, server):
    with opened(chromium, server) as page:
        type_text(page, "FROM ubuntu:24.04\nRUN sleep 600\n")
        expect(page.locator("#file-tabs .mark")).to_have_count(0)
        button = page.locator("#check")
        button.click()
        expect(button).to_have_text("Stop", timeout=60_000)
        button.click()
        expect(button).to_have_text("Check", timeout=60_000)
        expect(page.locator(".checks .bad")).to_contain_text("stopped")
        expect(page.locator("#status")).to_have_text("2 failed in the text")
