"""Keys are read without Enter, and the terminal's settings are restored however it ends."""

from __future__ import annotations

import os
import pty
import sys
import termios
from pathlib import Path

import pytest

from workshop.commands.keyboard import open_keyboard


@pytest.fixture
def terminal(monkeypatch):
    """Make standard input a terminal; return the two ends of it."""
    keys, screen = pty.openpty()
    with os.fdopen(screen, "r", closefd=True) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield keys, screen
    os.close(keys)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (b"", ""),
        (b"h", "h"),
        (b"hHq\n", "hhq\n"),
        # Arrows, a function key, the Delete key, and Alt with a letter.
        (b"\x1b[A\x1b[1;5C\x1bOP\x1b[3~h", "h"),
        (b"\xff\xc3\xa9h", "\ufffd\u00e9h"),
    ],
)
def test_keys_are_read_at_once(typed, read, terminal):
    keys, _ = terminal
    with open_keyboard() as read_keys:
        assert read_keys is not None
        os.write(keys, typed)
        assert read_keys() == read
        assert read_keys() == ""


def test_keys_that_were_typed_before_are_not_lost(terminal):
    keys, _ = terminal
    os.write(keys, b"r\n")
    with open_keyboard() as read_keys:
        assert read_keys is not None
        assert read_keys() == "r\n"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_the_settings_are_restored_after_an_exception(error, terminal):
    _, screen = terminal
    before = termios.tcgetattr(screen)

    def fail() -> None:
        with open_keyboard():
            assert termios.tcgetattr(screen) != before
            raise error

    with pytest.raises(error):
        fail()
    assert termios.tcgetattr(screen) == before


def test_a_terminal_that_is_gone_means_quit(monkeypatch):
    keys, screen = pty.openpty()
    with os.fdopen(screen, "r") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with open_keyboard() as read_keys:
            assert read_keys is not None
            os.close(keys)
            assert read_keys() == "q"


def test_without_a_terminal_there_is_no_keyboard(monkeypatch):
    with Path(os.devnull).open(encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with open_keyboard() as read_keys:
            assert read_keys is None
