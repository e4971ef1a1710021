"""Reads single keys from the terminal, without Enter."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUIT = "q"
# An arrow, a function key, or Alt with a letter (ECMA-48, section 5.4).
_ESCAPES = re.compile(r"\x1b(?:\[[^@-~]*[@-~]|O.|.)?", re.DOTALL)


@contextlib.contextmanager
def open_keyboard() -> Iterator[Callable[[], str] | None]:
    """Yield a function that returns the keys pressed since its last call, in lower case.

    It never waits. Yields None if there is no keyboard: standard input is not a terminal, or this
    program runs in the background. The terminal's settings are restored with the end of the block.
    """
    if not sys.stdin.isatty():
        yield None
    elif sys.platform == "win32":
        yield _read_windows_keys
    else:
        with _open_terminal(sys.stdin.fileno()) as read_keys:
            yield read_keys


if sys.platform == "win32":

    def _read_windows_keys() -> str:
        import msvcrt

        keys = ""
        while msvcrt.kbhit():
            key = msvcrt.getwch()
            if key in "\0\xe0":
                # The first half of an arrow or a function key.
                msvcrt.getwch()
            else:
                keys += key
        return keys.lower()

else:

    @contextlib.contextmanager
    def _open_terminal(terminal: int) -> Iterator[Callable[[], str] | None]:
        import termios
        import tty

        with contextlib.suppress(OSError):
            if os.tcgetpgrp(terminal) != os.getpgrp():
                # A change of the settings would stop a program in the background.
                yield None
                return
        before = termios.tcgetattr(terminal)
        try:
            # NOW, because the other modes lose keys, or wait for a terminal that is paused.
            tty.setcbreak(terminal, termios.TCSANOW)
            yield lambda: _read_keys(terminal)
        finally:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(terminal, termios.TCSANOW, before)

    def _read_keys(terminal: int) -> str:
        import select

        keys = b""
        while select.select([terminal], [], [], 0)[0]:
            try:
                more = os.read(terminal, 1024)
            except OSError:
                more = b""
            if not more:
                # The terminal is gone.
                return QUIT
            keys += more
        return _ESCAPES.sub("", keys.decode("utf-8", errors="replace")).lower()
