"""The lesson's files in a real browser: opened, written, left by keys, and changed outside."""

from __future__ import annotations

import pytest
from browser.test_desk import DOCKERFILE, WORKING, Server, block, opened, type_text
from browser.test_site import faults
from harness import ROOT, until
from playwright.sync_api import expect

WRONG = "FROM debian:12\n"
ANSWER = ROOT / "services/part-3/baby-steps/Dockerfile"
FOLDER = "exercises/baby-steps"
LANGUAGES = {
    "Dockerfile": ("FROM ubuntu:24.04\n", "FROM"),
    "compose.yml": ("services: {}\n", "services"),
    "app.py": ("import os\n", "import"),
    "pyproject.toml": ("[project]\nname = 'a'\n", "name"),
    "run.sh": ("if true; then exit; fi\n", "if"),
}


@pytest.fixture
def server(tmp_path):
    (tmp_path / FOLDER).mkdir(parents=True)
    found = Server.start(tmp_path)
    yield found
    found.stop()


def text(page):
    return page.locator("#text .cm-content")


def is_inside(page, selector: str) -> bool:
    return page.evaluate("(s) => document.activeElement.closest(s) !== null", selector)


def test_tab_indents_and_escape_then_tab_leaves_the_editor(chromium, server):
    with opened(chromium, server) as page:
        type_text(page, "ab")
        expect(page.locator("#editor .hint")).to_contain_text("Escape, then Tab, leaves")
        page.keyboard.press("Tab")
        until(lambda: _read(server.folder / DOCKERFILE) == "  ab", "the indented line")
        page.keyboard.press("Shift+Tab")
        until(lambda: _read(server.folder / DOCKERFILE) == "ab", "the line")
        assert is_inside(page, "#text")
        page.keyboard.press("Escape")
        page.keyboard.press("Tab")
        assert not is_inside(page, "#text")
        page.keyboard.press("Shift+Tab")
        assert is_inside(page, "#text")
        for key in ("Escape", "Shift+Tab"):
            page.keyboard.press(key)
        assert not is_inside(page, "#text")
        assert _read(server.folder / DOCKERFILE) == "ab"


def test_every_part_is_reached_with_tab(chromium, server):
    """Tab and Escape go once around the page, through everything that can be used."""
    with opened(chromium, server) as page:
        type_text(page, WORKING)
        seen = set()
        page.locator("#lessons").focus()
        for _ in range(150):
            found = page.evaluate("document.activeElement.closest('[id]')?.id ?? ''")
            seen.add(found)
            if is_inside(page, "#text"):
                page.keyboard.press("Escape")
            page.keyboard.press("F6" if is_inside(page, ".screen") else "Tab")
        assert {"lessons", "auto", "check", "lesson", "file-tabs", "files", "text"} <= seen | {""}
        assert "new-terminal" in seen


def test_a_file_that_is_fixed_outside_loses_its_marks_also_after_a_reload(chromium, server):
    with opened(chromium, server) as page:
        type_text(page, WRONG)
        mark = page.locator(".cm-lint-marker-error")
        expect(mark).to_have_count(1)
        page.reload()
        expect(text(page)).to_contain_text("debian")
        expect(mark).to_have_count(1)
        (server.folder / DOCKERFILE).write_text(_read(ANSWER))
        expect(text(page)).to_contain_text("cowsay")
        expect(mark).to_have_count(0)
        page.reload()
        expect(text(page)).to_contain_text("cowsay")
        expect(page.locator("#status")).to_have_text("No problem in the text")
        expect(mark).to_have_count(0)


def test_a_new_file_is_listed_and_opened_also_after_a_reload(chromium, server):
    with opened(chromium, server) as page:
        expect(text(page)).to_contain_text("This file does not exist yet")
        (server.folder / DOCKERFILE).write_text(WORKING)
        expect(text(page)).to_contain_text("ubuntu:24.04")
        (server.folder / FOLDER / "notes.txt").write_text("outside\n")
        note = page.locator("#files option", has_text="notes.txt")
        expect(note).to_have_count(1)
        page.reload()
        expect(text(page)).to_contain_text("ubuntu:24.04")
        expect(note).to_have_count(1)
        page.locator("#files").select_option(label="notes.txt")
        expect(text(page)).to_have_text("outside")
        type_text(page, "mine\n")
        until(lambda: _read(server.folder / FOLDER / "notes.txt") == "mine\n", "the saved file")
        (server.folder / FOLDER / "notes.txt").unlink()
        expect(note).to_have_count(0)


def test_ctrl_s_saves_at_once_and_a_reload_loses_nothing(chromium, server):
    with opened(chromium, server) as page:
        type_text(page, "FROM one\n")
        page.keyboard.press("Control+S")
        until(lambda: _read(server.folder / DOCKERFILE) == "FROM one\n", "the saved file")
        # The page goes before the pause after the last key is over.
        page.keyboard.insert_text("# two\n")
        page.reload()
        expect(text(page)).to_contain_text("# two")
        assert _read(server.folder / DOCKERFILE) == "FROM one\n# two\n"


def test_an_old_answer_does_not_replace_what_was_typed_since(chromium, server):
    """On a slow machine, the answer with one text comes after the save of the next one."""
    with opened(chromium, server) as page:
        routes = []
        page.route("**/api/file?*", lambda route: routes.append(route))  # noqa: PLW0108
        # The server reports the page's save to the page too.
        with page.expect_request("**/api/file?*"):
            type_text(page, "FROM one\n")
        expect(page.locator("#file-tabs .mark")).to_have_count(0)
        held = [(route, route.fetch()) for route in routes]
        assert [answer.json()["text"] for _, answer in held] == ["FROM one\n"]
        page.keyboard.insert_text("# two\n")
        until(lambda: "# two" in _read(server.folder / DOCKERFILE), "the second save")
        expect(page.locator("#file-tabs .mark")).to_have_count(0)
        for route, answer in held:
            with page.expect_response("**/api/file?*"):
                route.fulfill(response=answer)
        page.keyboard.press("Control+End")
        page.keyboard.insert_text("# three\n")
        until(lambda: "# three" in _read(server.folder / DOCKERFILE), "the third save")
        assert _read(server.folder / DOCKERFILE) == "FROM one\n# two\n# three\n"
        page.unroute("**/api/file?*")
        assert page.locator("#conflict").is_hidden()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_question_about_a_conflict_fits_and_is_accessible(width, chromium, server, axe):
    with opened(chromium, server, width, "dark") as page:
        type_text(page, "FROM here\n")
        until((server.folder / DOCKERFILE).is_file, "the saved file")
        page.route("**/api/file?*", lambda route: route.abort())
        (server.folder / DOCKERFILE).write_text("FROM outside\n")
        page.keyboard.insert_text("# mine\n")
        bar = page.locator("#conflict")
        expect(bar).to_be_visible()
        assert faults(page, axe) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        page.unroute("**/api/file?*")
        bar.get_by_role("button", name="Compare").click()
        expect(page.locator("dialog")).to_contain_text("FROM outside")
        assert faults(page, axe) == []
        page.get_by_role("button", name="Close").click()
        bar.get_by_role("button", name="Take theirs").click()
        expect(text(page)).to_have_text("FROM outside")
        assert bar.is_hidden()


def test_each_language_is_highlighted(chromium, server):
    for name, (content, _) in LANGUAGES.items():
        (server.folder / FOLDER / name).write_text(content)
    with opened(chromium, server) as page:
        for name, (_, word) in LANGUAGES.items():
            page.locator("#files").select_option(f"baby-steps/{name}")
            expect(text(page).locator("[class*=tok-]", has_text=word).first).to_be_visible()


def test_copy_takes_what_is_typed_without_the_prompt_and_the_output(chromium, server):
    with opened(chromium, server) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        for shown, copied in (
            ("workshop start baby-steps", "workshop start baby-steps"),
            ("UBUNTU_VERSION=24.04", _read(ANSWER)),
        ):
            block(page, shown).get_by_role("button", name="Copy").click()
            until(
                lambda copied=copied: (
                    page.evaluate("navigator.clipboard.readText()").strip() == copied.strip()
                ),
                f"{shown} in the clipboard",
            )


def test_a_file_name_in_the_text_opens_the_file(chromium, server):
    with opened(chromium, server) as page:
        page.locator("article p code button", has_text="Dockerfile").first.click()
        expect(text(page)).to_be_focused()
        expect(page.locator("#file-tabs [aria-selected=true]")).to_have_text("Dockerfile")


def test_a_new_window_opens_where_the_learner_was(chromium, server):
    with opened(chromium, server) as page:
        page.locator(".xterm-helper-textarea").first.focus()
        page.keyboard.type("workshop start degrees-api\n")
        page.locator("#tab-progress").click()
        expect(page.locator(".progress .summary")).to_contain_text("Last: degrees-api")
    with opened(chromium, server) as page:
        expect(page.locator("article h1")).to_contain_text("A Dockerfile for a web program")
        expect(page.locator("#lessons")).to_have_value("lessons/degrees-api")


def _read(file) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""
