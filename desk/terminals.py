"""Shells on pseudo-terminals, which outlive the page that shows them.

A terminal keeps what its programs printed last. Each viewer, a page, reads that at its own pace.
A program that prints faster than every viewer reads has to wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

try:
    import fcntl
    import pty
    import termios
except ImportError:  # Windows
    AVAILABLE = False
else:
    AVAILABLE = True

MAX_TERMINALS = 8
# 10,000 lines of 200 bytes.
KEPT_BYTES = 2_000_000
CHUNK = 65_536
# How far a viewer may be behind before the program waits, in bytes.
WINDOW = 400_000
# How much input waits for a program that does not read it, in bytes.
MAX_INPUT = 4_000_000
SECONDS_TO_END = 2.0
CTRL_C = b"\x03"
RC_FILE = Path(__file__).with_name("bashrc.sh")
# A session leader without a terminal gets the one that it opens first.
_START = 'exec "$@" <>"$0" >&0 2>&0'


class Terminal:
    """One shell. `ended` is true after its last program has ended."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._output = bytearray()
        # Positions, in bytes since the start: of what is kept, of what is next, of each viewer.
        self._first = self._next = 0
        self._input = bytearray()
        self._at: dict[object, int] = {}
        self.ended = False
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._master, slave = pty.openpty()
        try:
            os.set_blocking(self._master, False)
            self.resize(80, 24)
            self._shell = subprocess.Popen(
                ["/bin/sh", "-c", _START, os.ttyname(slave), *_shell()],
                cwd=folder,
                env=dict(environment),
                stdin=slave,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except BaseException:
            os.close(self._master)
            raise
        finally:
            os.close(slave)
        self._loop.add_reader(self._master, self._read)

    def resize(self, columns: int, rows: int) -> None:
        """Set the size of the window; programs get SIGWINCH.

        Of several pages, the one that was used last sets the size.
        """
        self.size = min(max(columns, 1), 1000), min(max(rows, 1), 500)
        with contextlib.suppress(OSError):
            size = struct.pack("HHHH", self.size[1], self.size[0], 0, 0)
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)
        self._notify()

    async def write(self, data: bytes) -> None:
        """Type `data`, and wait while too much of it waits for the program.

        Ctrl-C goes first: what was typed before it, and not yet read, is dropped.
        """
        if self.ended:
            return
        if data == CTRL_C and self._input:
            self._input.clear()
            with contextlib.suppress(OSError, ProcessLookupError):
                os.killpg(os.tcgetpgrp(self._master), signal.SIGINT)
            return
        self._input += data
        self._flush()
        while len(self._input) >= MAX_INPUT and not self.ended:
            await self._changed.wait()

    def attach(self, viewer: object) -> bytes:
        """Add a viewer, and return what is kept."""
        self._at[viewer] = self._next
        return bytes(self._output)

    def detach(self, viewer: object) -> None:
        """Remove a viewer."""
        del self._at[viewer]
        self._resume()

    async def read(self, viewer: object, size: tuple[int, int]) -> bytes:
        """Wait for output that a viewer has not read; return it, or nothing after the end.

        Also returns when the window has another size. A viewer that is too far behind continues
        with what is kept.
        """
        while self._at[viewer] == self._next and not self.ended and size == self.size:
            await self._changed.wait()
        start = max(self._at[viewer] - self._first, 0)
        chunk = bytes(self._output[start : start + CHUNK])
        self._at[viewer] = self._first + start + len(chunk)
        self._resume()
        return chunk

    async def close(self) -> None:
        """End the shell and the programs that it started."""
        self._end()
        for number in (signal.SIGHUP, signal.SIGCONT):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._shell.pid, number)
        try:
            await asyncio.to_thread(self._shell.wait, SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._shell.pid, signal.SIGKILL)
            await asyncio.to_thread(self._shell.wait)

    def _read(self) -> None:
        try:
            data = os.read(self._master, CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end()
            return
        self._output += data
        self._next += len(data)
        self._trim()
        self._notify()
        if self._is_ahead():
            self._loop.remove_reader(self._master)

    def _trim(self) -> None:
        """Keep whole lines of at most `KEPT_BYTES`; only now and then, because it copies."""
        if len(self._output) < KEPT_BYTES * 1.2:
            return
        start = len(self._output) - KEPT_BYTES
        cut = self._output.find(b"\n", start) + 1 or start
        del self._output[:cut]
        self._first += cut

    def _is_ahead(self) -> bool:
        """Whether every viewer is too far behind; without any, a program never waits."""
        return bool(self._at) and self._next - max(self._at.values()) > WINDOW

    def _resume(self) -> None:
        if not self.ended and not self._is_ahead():
            self._loop.add_reader(self._master, self._read)

    def _flush(self) -> None:
        """Write what the terminal takes now, and the rest when it takes more."""
        try:
            written = os.write(self._master, self._input[:CHUNK])
            del self._input[:written]
        except BlockingIOError:
            pass
        except OSError:
            self._input.clear()
        if self._input and not self.ended:
            self._loop.add_writer(self._master, self._flush)
        else:
            self._loop.remove_writer(self._master)
        self._notify()

    def _end(self) -> None:
        if self.ended:
            return
        self.ended = True
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        os.close(self._master)
        self._notify()

    def _notify(self) -> None:
        """Wake everything that waits for output, for room, or for the end."""
        self._changed.set()
        self._changed = asyncio.Event()


class Terminals:
    """The terminals of the desk, by number."""

    def __init__(self) -> None:
        self._last = 0
        self._open: dict[int, Terminal] = {}

    @property
    def numbers(self) -> list[int]:
        """The numbers of the open terminals."""
        return list(self._open)

    def find(self, number: int) -> Terminal | None:
        """Return an open terminal."""
        return self._open.get(number)

    def open(self, folder: Path) -> int:
        """Start a shell in a folder, and return its number."""
        if not AVAILABLE:
            fix = "Open the desk in WSL, or use a terminal beside the page"
            raise UserError("terminal", "Windows has no pseudo-terminal for it", fix)
        if len(self._open) >= MAX_TERMINALS:
            raise UserError("terminal", f"{MAX_TERMINALS} are open already", "Close one")
        try:
            terminal = Terminal(folder, _environment())
        except OSError as error:
            found = error.strerror or "it does not start"
            raise UserError("terminal", found, "Close a program, and try again") from None
        self._last += 1
        self._open[self._last] = terminal
        return self._last

    async def close(self, number: int) -> None:
        """End a terminal, if it is open."""
        if terminal := self._open.pop(number, None):
            await terminal.close()

    async def close_all(self) -> None:
        """End every terminal."""
        await asyncio.gather(*map(self.close, self.numbers))


def _shell() -> list[str]:
    """Return the command of the shell: bash, whose commands the lessons show, or else sh."""
    from shutil import which  # noqa: PLC0415 - only to start a shell

    bash = which("bash")
    return [bash, "--rcfile", str(RC_FILE), "-i"] if bash else ["/bin/sh", "-i"]


def _environment() -> dict[str, str]:
    """Return the learner's environment, with the kit's programs on the PATH."""
    programs = str(Path(sys.executable).parent)
    path = os.pathsep.join([programs, os.environ.get("PATH", os.defpath)])
    removed = {"COLUMNS", "LINES", "PROMPT_COMMAND", "PS1"}
    kept = {name: value for name, value in os.environ.items() if name not in removed}
    return {**kept, "PATH": path, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
