"""Shells on pseudo-terminals."""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import asynccontextmanager

import pytest
from harness import run_async, until

from desk import terminals
from desk.desk import Desk
from desk.terminals import CHUNK, KEPT_BYTES, WINDOW, Terminals
from workshop.core.errors import UserError

SECONDS = 20
ENDED_BY_CTRL_C = b"\x1b]133;D;130"
PROMPT = b"\x1b[0m $ " if os.geteuid() else b"\x1b[0m # "


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> None:
    """The settings of this machine's shell are not part of a test."""
    monkeypatch.setenv("HOME", str(tmp_path))


@asynccontextmanager
async def shell(folder):
    found = Terminals()
    number = found.open(folder)
    try:
        yield found.find(number)
    finally:
        await found.close_all()


async def read_until(terminal, text: bytes, viewer: object = None) -> bytes:
    """Read as a page does, until something is printed: a new page, or one that was attached."""
    output = bytearray()
    if viewer is None:
        viewer = object()
        output += terminal.attach(viewer)
    async with asyncio.timeout(SECONDS):
        while output.find(text, -len(text) - CHUNK) < 0:
            data = await terminal.read(viewer, terminal.size)
            assert data or not terminal.ended, output
            output += data
    return bytes(output)


def runs_a_program(terminal) -> bool:
    """Whether a program of the shell is in the foreground, and gets Ctrl-C."""
    return os.tcgetpgrp(terminal._master) != terminal._shell.pid


def test_a_shell_has_the_tools_the_folder_and_a_terminal(tmp_path):
    async def check() -> None:
        async with shell(tmp_path) as terminal:
            terminal.resize(91, 17)
            await terminal.write(b"tty; stty size; pwd; command -v workshop; echo e'n'd\r")
            output = (await read_until(terminal, b"end\r\n")).decode()
            assert "/dev/" in output
            assert "17 91" in output
            assert str(tmp_path) in output
            assert "/bin/workshop" in output
            assert f"\x1b]7;file://{tmp_path}" in output
            assert "\x1b]133;D;0" in output

    run_async(check())


def test_another_page_gets_the_size_that_one_page_sets(tmp_path):
    async def check() -> None:
        async with shell(tmp_path) as terminal:
            viewer = object()
            terminal.attach(viewer)
            await read_until(terminal, PROMPT, viewer)
            waiting = asyncio.ensure_future(terminal.read(viewer, terminal.size))
            terminal.resize(120, 40)
            async with asyncio.timeout(SECONDS):
                assert await waiting == b""
            assert terminal.size == (120, 40)

    run_async(check())


def test_a_shell_reads_the_learners_settings_and_keeps_the_kits_programs(tmp_path):
    (tmp_path / ".bashrc").write_text("alias greet='echo hi; command -v workshop'\nPATH=/bin\n")

    async def check() -> None:
        async with shell(tmp_path) as terminal:
            await terminal.write(b"greet\r")
            output = await read_until(terminal, b"/bin/workshop\r\n")
            assert b"hi\r\n" in output

    run_async(check())


def test_a_large_paste_arrives_whole(tmp_path):
    lines = 20_000

    async def check() -> None:
        async with shell(tmp_path) as terminal:
            await terminal.write(b"stty -echo; cat > pasted; echo d'on'e\r")
            await terminal.write(b"".join(b"line %d\r" % n for n in range(lines)))
            await terminal.write(b"\x04")
            await read_until(terminal, b"done")

    run_async(check())
    assert (tmp_path / "pasted").read_text().splitlines() == [f"line {n}" for n in range(lines)]


def test_a_program_waits_for_its_viewer_and_ctrl_c_ends_it(tmp_path):
    async def check() -> None:
        async with shell(tmp_path) as terminal:
            viewer = object()
            terminal.attach(viewer)
            await terminal.write(b"yes\r")
            # A page that reads nothing stops the program before it has filled what is kept.
            async with asyncio.timeout(SECONDS):
                while not terminal._is_ahead():
                    await terminal._changed.wait()
            assert len(terminal._output) <= WINDOW + 2 * CHUNK
            await terminal.write(b"\x03")
            await read_until(terminal, ENDED_BY_CTRL_C, viewer)

    run_async(check())


# On a busy machine, the shell may not come to read a million characters in time.
@pytest.mark.slow
def test_ctrl_c_passes_a_paste_that_no_program_reads(tmp_path):
    async def check() -> None:
        async with shell(tmp_path) as terminal:
            await terminal.write(b"stty -icanon -echo; echo r'ead'y; sleep 1000\r")
            await read_until(terminal, b"ready")
            await asyncio.to_thread(until, lambda: runs_a_program(terminal), "sleep")
            await terminal.write(b"x" * 1_000_000)
            await terminal.write(b"\x03")
            await read_until(terminal, ENDED_BY_CTRL_C)

    run_async(check())


def test_what_is_kept_is_limited(tmp_path):
    async def check() -> None:
        async with shell(tmp_path) as terminal:
            await terminal.write(b"seq 1000000; echo e'n'd\r")
            await read_until(terminal, b"end\r\n")
            kept = terminal.attach(object())
            assert len(kept) <= KEPT_BYTES * 1.2
            assert len(kept) >= KEPT_BYTES / 2
            assert b"\n1000000\r\n" in kept

    run_async(check())


def test_a_closed_terminal_leaves_no_process(tmp_path):
    async def check() -> int:
        async with shell(tmp_path) as terminal:
            await terminal.write(b"trap '' HUP; echo p'id'=$$.; sleep 1000\r")
            output = await read_until(terminal, b".\r\n")
            return int(re.search(rb"pid=(\d+)", output)[1])

    pid = run_async(check())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_shell_that_exits_ends_its_terminal(tmp_path):
    async def check() -> None:
        async with shell(tmp_path) as terminal:
            await terminal.write(b"exit\r")
            viewer = object()
            terminal.attach(viewer)
            async with asyncio.timeout(SECONDS):
                while await terminal.read(viewer, terminal.size) or not terminal.ended:
                    pass

    run_async(check())


def test_there_are_not_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(terminals, "MAX_TERMINALS", 1)

    async def check() -> None:
        found = Terminals()
        found.open(tmp_path)
        try:
            with pytest.raises(UserError, match="1 are open already"):
                found.open(tmp_path)
        finally:
            await found.close_all()

    run_async(check())


def test_a_system_without_pseudo_terminals_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(terminals, "AVAILABLE", False)
    with pytest.raises(UserError, match="Open the desk in WSL, or use a terminal beside the page"):
        Terminals().open(tmp_path)


def test_a_terminal_starts_in_the_folder_of_the_exercise(tmp_path):
    folder = tmp_path / "exercises/task"
    folder.mkdir(parents=True)
    (folder / "link").symlink_to("/")

    async def check() -> None:
        desk = Desk(tmp_path)
        try:
            for name, place in (("task", folder), ("none", tmp_path), ("", tmp_path)):
                terminal = desk.terminals.find(desk.open_terminal(name))
                await read_until(terminal, f"\x1b]7;file://{place}\a".encode())
            assert desk.files.find_folder("task/link") is None
            with pytest.raises(UserError, match="not inside the exercises"):
                desk.open_terminal("../..")
        finally:
            await desk.terminals.close_all()

    run_async(check())
