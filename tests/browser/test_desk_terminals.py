"""The terminals of the desk in a real browser."""

from __future__ import annotations

import re

import pytest
from browser.test_desk import Server, opened, show
from harness import until
from playwright.sync_api import expect

LINES = 12_000
KEPT_LINES = 10_000
WAITING = "Waiting for your shell, which reads ~/.bashrc"
# Pastes as the clipboard does; a browser without a window has none.
PASTE = """(text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    const event = new ClipboardEvent("paste", {clipboardData, bubbles: true});
    document.querySelector(".screen:not([hidden]) textarea").dispatchEvent(event);
}"""


@pytest.fixture
def server(tmp_path):
    found = Server.start(tmp_path)
    yield found
    found.stop()


def screen(page):
    """Return the rows of the terminal in front."""
    return page.locator(".screen:not([hidden]) .xterm-rows")


def focus(page, number: int = 1) -> None:
    show(page, "tools")
    page.locator(f"#tab-terminal-{number}").click()
    expect(page.locator(".screen:not([hidden]) textarea")).to_be_focused()


def type_line(page, text: str) -> None:
    page.keyboard.type(f"{text}\n")


def test_two_pages_show_one_terminal_with_the_size_of_the_one_in_use(chromium, server):
    with opened(chromium, server) as wide, opened(chromium, server, 390) as narrow:
        focus(wide)
        type_line(wide, "kept=one; echo fr''om wide")
        focus(narrow)
        expect(screen(narrow)).to_contain_text("from wide")
        type_line(narrow, "echo $kept and $((1 + 1)); stty size")
        for page in (wide, narrow):
            expect(screen(page)).to_contain_text("one and 2")
        sizes = []
        for page in (narrow, wide):
            # A window that comes to the front is the one in use.
            page.evaluate("dispatchEvent(new Event('focus'))")
            page.keyboard.press("Control+L")
            type_line(page, "stty size")
            shown = re.compile(r"size\s+\d+ \d+")
            expect(screen(page)).to_contain_text(shown, use_inner_text=True)
            sizes.append(int(re.search(r"size\s+\d+ (\d+)", screen(page).inner_text())[1]))
            # Both wrap their lines in the same places.
            other = wide if page is narrow else narrow
            expect(screen(other)).to_have_text(screen(page).inner_text(), use_inner_text=True)
        assert sizes[0] < sizes[1]
        # What one page closes, the other one does not show either.
        wide.locator("#new-terminal").click()
        expect(narrow.locator("#tab-terminal-2")).to_be_visible()
        wide.locator("#tab-terminal-2").press("Delete")
        expect(narrow.locator("#tab-terminal-2")).to_have_count(0)


def test_several_terminals_survive_a_reload_with_their_programs(chromium, server):
    with opened(chromium, server) as page:
        for number in (1, 2, 3):
            if number > 1:
                page.locator("#new-terminal").click()
            focus(page, number)
            type_line(page, f"mine=shell-{number}; echo re''ady; cat")
            expect(screen(page)).to_contain_text("ready")
            type_line(page, f"to cat {number}")
            expect(screen(page)).to_contain_text(f"to cat {number}" * 2)
        page.reload()
        for number in (1, 2, 3):
            focus(page, number)
            type_line(page, "again")
            expect(screen(page)).to_contain_text("again" * 2)
            page.keyboard.press("Control+C")
            type_line(page, "echo $mine-")
            expect(screen(page)).to_contain_text(f"shell-{number}-")


def test_a_terminal_goes_back_ten_thousand_lines_also_after_a_reload(chromium, server):
    with opened(chromium, server) as page:
        focus(page)
        type_line(page, f"seq {LINES}; echo en''ded")
        for _ in range(2):
            expect(screen(page)).to_contain_text("ended")
            bar = page.locator(".screen:not([hidden]) .scrollbar.vertical").bounding_box()
            page.mouse.click(bar["x"] + bar["width"] / 2, bar["y"] + 1)
            last = LINES - KEPT_LINES + 50

            def first_row(last: int = last) -> bool:
                rows = re.findall(r"^\d+", screen(page).inner_text(), re.MULTILINE)
                return bool(rows) and int(rows[0]) <= last

            until(first_row, "the first of the last 10,000 lines")
            page.reload()
            focus(page)


def test_many_pasted_lines_arrive_whole(chromium, server):
    text = "\n".join(f"line {number} 'quoted' $HOME \\" for number in range(2000)) + "\n"
    with opened(chromium, server) as page:
        focus(page)
        type_line(page, "stty -echo; cat > pasted; stty echo; echo d''one")
        # bash has let go of the screen.
        expect(screen(page)).to_contain_text("cat > pasted")
        until((server.folder / "pasted").exists, "cat")
        page.evaluate(PASTE, text)
        page.keyboard.press("Control+D")
        expect(screen(page)).to_contain_text("done")
    assert (server.folder / "pasted").read_text() == text


def test_the_keyboard_leaves_the_terminal_and_tab_stays_in_it(chromium, server):
    (server.folder / "a-long-name").write_text("completed\n")
    with opened(chromium, server) as page:
        focus(page)
        assert "F6" in page.evaluate("document.activeElement.getAttribute('aria-label')")
        page.keyboard.type("cat a-lon")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(screen(page)).to_contain_text("completed")
        page.keyboard.press("F6")
        assert page.evaluate("document.activeElement.closest('#tools')") is None
        page.keyboard.press("Shift+F6")
        expect(page.locator(".screen:not([hidden]) textarea")).to_be_focused()


def test_slow_settings_of_the_shell_are_announced(chromium, server, tmp_path):
    with opened(chromium, server) as page:
        (tmp_path / ".bashrc").write_text("until [ -e ~/go-on ]; do sleep 0.1; done\n")
        page.locator("#new-terminal").click()
        waiting = page.locator(".screen:not([hidden]) .waiting")
        expect(waiting).to_have_text(WAITING)
        (tmp_path / "go-on").touch()
        expect(waiting).to_have_count(0)
        type_line(page, "echo re''ady")
        expect(screen(page)).to_contain_text("ready")


def test_without_pseudo_terminals_the_page_says_so_and_runs_nothing(chromium, tmp_path):
    """As on Windows, whose Python has no module `pty`."""
    (tmp_path / "pty.py").write_text("raise ImportError('as on Windows')\n")
    server = Server.start(tmp_path, first=str(tmp_path))
    try:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(server.new_link())
        page.wait_for_selector("article h1")
        expect(page.locator("#notices")).to_contain_text("open the desk in WSL")
        assert page.locator("#new-terminal").is_hidden()
        assert page.locator("[id^=tab-terminal]").count() == 0
        assert page.locator("article .bar .run", has_text="Run").count() == 0
        # The rest works: files are saved and checked.
        page.locator("article .bar .run", has_text="Save").first.click()
        until((tmp_path / "exercises/baby-steps/Dockerfile").is_file, "the saved file")
        expect(page.locator("#status")).to_have_text("No problem in the text")
        context.close()
    finally:
        server.stop()
