"""What goes wrong around the desk, as its page shows it."""

from __future__ import annotations

import re
import secrets
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser.test_desk import DOCKERFILE, WORKING, Server, opened, type_text
from harness import until
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

FOLDER = "exercises/baby-steps"
MEGABYTE = 1_000_000
# An endless program fills what a terminal keeps, which is two megabytes, and their copies.
MOST_GROWTH = 40 * MEGABYTE


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / FOLDER).mkdir(parents=True)
    return tmp_path


@contextmanager
def started(folder: Path, port: int = 0, *options: str, **variables: str) -> Iterator[Server]:
    server = Server.start(folder, port, *options, **variables)
    try:
        yield server
    finally:
        server.stop()


def open_file(page: Page, name: str) -> None:
    page.locator("#files").select_option(f"baby-steps/{name}")


def memory(server: Server) -> int:
    """Return the resident memory of the server, in bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


def test_a_port_in_use_is_replaced_and_said(chromium, folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started(folder, port) as server, opened(chromium, server):
            assert server.port > port
            assert f"Port {port} is in use; the desk uses port {server.port}." in server.said


def test_without_an_engine_text_is_checked_and_the_page_says_so_once(chromium, folder):
    with (
        started(folder, DOCKER_HOST=f"unix://{folder}/none.sock") as server,
        opened(chromium, server) as page,
    ):
        notice = page.locator("#notices p").filter(has_text="No Docker engine answers")
        expect(notice).to_have_count(1)
        type_text(page, "FROM debian:12\n")
        expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
        page.locator("#lessons").select_option("lessons/degrees-api")
        expect(page.locator("article h1")).to_contain_text("A Dockerfile for a web program")
        assert notice.count() <= 1


@pytest.mark.parametrize(
    ("content", "found"),
    [(b"x" * 50 * MEGABYTE, "it has 50.0 MB"), (b"\x7fELF\0\xff", "it is not UTF-8 text")],
    ids=["50 MB", "binary"],
)
def test_a_file_that_the_editor_cannot_show_is_named_and_kept(content, found, chromium, folder):
    file = folder / FOLDER / "data"
    file.write_bytes(content)
    with started(folder) as server, opened(chromium, server) as page:
        before = memory(server)
        open_file(page, "data")
        notice = page.locator("#notices .bad")
        expect(notice).to_contain_text("baby-steps/data")
        expect(notice).to_contain_text(found)
        assert page.locator("#file-tabs [role=tab]", has_text="data").count() == 0
        assert memory(server) - before < MOST_GROWTH
        # The page still works.
        type_text(page, WORKING)
        until((folder / DOCKERFILE).is_file, "the saved file")
    assert file.read_bytes() == content


@pytest.fixture
def small_disk(folder) -> Iterator[Path]:
    """An exercise on a disk of one megabyte."""
    argv = ("mount", "-t", "tmpfs", "-o", "size=1m", f"desk-{secrets.token_hex(3)}")
    done = subprocess.run(
        [*argv, str(folder / FOLDER)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no small disk: {done.stderr.strip()}")
    yield folder / FOLDER
    subprocess.run(["umount", "--lazy", str(folder / FOLDER)], check=True)


def test_a_full_disk_loses_nothing_and_is_said(small_disk, chromium, folder):
    (folder / DOCKERFILE).write_text(WORKING)
    filler = small_disk / "filler"
    with started(folder) as server, opened(chromium, server) as page:
        open_file(page, "Dockerfile")
        with pytest.raises(OSError, match="No space left"), filler.open("wb") as out:
            out.write(b"x" * 2 * MEGABYTE)
        type_text(page, f"{WORKING}# typed\n")
        expect(page.locator("#notices .bad")).to_contain_text("No space left on device")
        assert (folder / DOCKERFILE).read_text() == WORKING
        expect(page.locator("#file-tabs .mark")).to_have_text("!")
        expect(page.locator("#text .cm-content")).to_contain_text("# typed")
        assert sorted(path.name for path in small_disk.iterdir()) == ["Dockerfile", "filler"]
        filler.unlink()
        until(lambda: "# typed" in (folder / DOCKERFILE).read_text(), "the second attempt")
        expect(page.locator("#file-tabs .mark")).to_have_count(0)


def test_a_program_that_never_ends_slows_nothing_and_ends_with_ctrl_c(chromium, folder):
    with started(folder) as server, opened(chromium, server) as page:
        before = memory(server)
        terminal = page.locator(".xterm-helper-textarea").first
        terminal.focus()
        page.keyboard.type("yes desk\n")
        screen = page.locator(".xterm-rows").first
        expect(screen).to_contain_text("desk\n")
        grown = []
        for count in range(10):
            text = f"FROM ubuntu:24.04\n# {count}\n"
            start = time.monotonic()
            type_text(page, text)
            until(lambda text=text: _read(folder / DOCKERFILE) == text, "the saved file", 10)
            assert time.monotonic() - start < 5
            grown.append(memory(server) - before)
        assert max(grown) < MOST_GROWTH
        terminal.focus()
        page.keyboard.press("Control+C")
        page.keyboard.type("echo en''ded\n")
        expect(screen).to_contain_text("ended", timeout=10_000)


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""
