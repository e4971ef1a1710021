"""A learner: runs the commands of a lesson in a terminal, and compares their output.

The folder is a copy of the kit, as a learner has it, with its own compose project.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
from harness import ROOT
from lessons.cleanup import Cleanup

from workshop.site import lessons, output
from workshop.site.blocks import Command, InnerCommand

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workshop.site.blocks import Block
    from workshop.site.lessons import Page

SECONDS = 900
SECONDS_TO_ANSWER = 60
SECONDS_TO_END = 20
SECONDS_TO_DRAW = 0.5
WINDOW = (50, 200)
NOT_COPIED = (
    ".git",
    ".venv",
    ".env",
    "site",
    "node_modules",
    "exercises",
    "__pycache__",
    ".*_cache",
)
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
_NEEDS_TERMINAL = re.compile(r" -(it|ti|t)\b| --tty\b")


class LessonError(AssertionError):
    """A lesson does not match what happens."""


class Learner:
    """Follows pages in a new folder."""

    def __init__(self, folder: Path) -> None:
        self.project = f"lesson-{secrets.token_hex(4)}"
        self.folder = folder / "workshop"
        self._state = folder / "state"
        self._running: list[subprocess.Popen[str]] = []
        self._page = ""
        self._cleanup = Cleanup(self.project)
        shutil.copytree(ROOT, self.folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
        (self.folder / ".venv").symlink_to(ROOT / ".venv")
        self._env = {
            **os.environ,
            "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
            "COMPOSE_PROJECT_NAME": self.project,
            "COLUMNS": "80",
            "LC_ALL": "C.UTF-8",
            "TERM": "dumb",
            # Task colours its output on a CI machine even if nobody watches.
            "NO_COLOR": "1",
        }

    def follow(self, page: Page) -> None:
        """Follow a page block by block in a new terminal.

        Raises a `LessonError` that names the line that is wrong.
        """
        self._page = page.name
        self._state.write_text(f"cd {self.folder}\n", encoding="utf-8")
        try:
            for block in page.blocks:
                self._follow_block(block)
        finally:
            while self._running:
                self._press_ctrl_c()

    def run(self, command: str) -> str:
        """Run a command in the kit's folder, and return its output."""
        self._state.write_text(f"cd {self.folder}\n", encoding="utf-8")
        code, output = self._run_plain(Command(0, command, ()))
        if code:
            raise LessonError(f"$ {command}\nended with {code}:\n{output}")
        return output

    def remove(self) -> None:
        """Remove every container, image, network and volume that the pages created."""
        self._cleanup.remove()

    def _follow_block(self, block: Block) -> None:
        if block.kind == lessons.CONSOLE:
            self._run_commands(block)
        elif block.kind == lessons.CTRL_C:
            self._press_ctrl_c()
        elif block.kind in {lessons.FILE, lessons.EDIT}:
            self._save(block)
        elif block.kind == lessons.TREE:
            found = output.draw_tree(self._resolve(block.title))
            self._compare(block.line, block.title, block.body, found)

    def _save(self, block: Block) -> None:
        """Write or edit a file."""
        file = self._resolve(block.title)
        text = "".join(f"{line}\n" for line in block.body)
        if block.kind == lessons.EDIT:
            try:
                text = output.apply_edit(file.read_text(encoding="utf-8"), block.body)
            except (OSError, ValueError) as error:
                found = f"{block.title} cannot be edited"
                raise self._error(block.line, found, str(error)) from None
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def _run_commands(self, block: Block) -> None:
        *others, last = block.commands
        for command in others:
            self._run(command, fails=False)
        if "keeps-running" in block.classes:
            self._start(last)
        else:
            self._run(last, fails="fails" in block.classes)

    def _run(self, command: Command, *, fails: bool) -> None:
        """Run a command, and compare its output with the output in the lesson."""
        self._cleanup.record_names(command.text)
        terminal = command.inner or _NEEDS_TERMINAL.search(command.text)
        code, actual = self._run_in_terminal(command) if terminal else self._run_plain(command)
        self._cleanup.record_images()
        if bool(code) != fails:
            expected = "an exit code other than 0" if fails else "0"
            found = f"$ {command.text}\nended with {code}, not {expected}"
            raise self._error(command.line, found, actual)
        if not terminal and command.shown:
            self._compare(command.line, f"$ {command.text}", command.shown, actual.splitlines())

    def _script(self, command: str) -> list[str]:
        """Return a script that runs a command and keeps its folder and variables for the next."""
        keep = f'code=$?; {{ export -p; printf "cd %q\\n" "$PWD"; }} > {self._state}; exit $code'
        return ["bash", "-c", f". {self._state}\n{command}\n{keep}"]

    def _run_plain(self, command: Command) -> tuple[int, str]:
        done = subprocess.run(
            self._script(command.text),
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
        return done.returncode, done.stdout

    def _run_in_terminal(self, command: Command) -> tuple[int, str]:
        """Run a command in a terminal, and type the lines of the lesson at its prompts."""
        program, *arguments = self._script(command.text)
        child = pexpect.spawn(
            program,
            arguments,
            env=self._env,
            encoding="utf-8",
            timeout=SECONDS_TO_ANSWER,
            dimensions=WINDOW,
        )
        current = InnerCommand(command.line, "$", command.text, command.shown)
        try:
            for inner in command.inner:
                self._await_prompt(child, inner)
                self._compare_inner(current, child)
                if current.prompt == "$":
                    # A shell redraws its prompt when it gets the size of its window.
                    child.expect([_pattern(inner), pexpect.TIMEOUT], timeout=SECONDS_TO_DRAW)
                child.sendline(inner.text)
                current = inner
            child.expect(pexpect.EOF)
            self._compare_inner(current, child)
        except pexpect.TIMEOUT:
            found = f"{current.prompt} {current.text}\nwaits for more input"
            raise self._error(current.line, found, "\n".join(_lines(child.before))) from None
        finally:
            child.close(force=True)
        return child.exitstatus or 0, child.before or ""

    def _compare_inner(self, inner: InnerCommand, child: pexpect.spawn) -> None:
        """Compare the output after a typed line, without the terminal's echo of that line."""
        actual = _lines(child.before)
        if actual[:1] == [inner.text]:
            del actual[0]
        self._compare(inner.line, f"{inner.prompt} {inner.text}", inner.shown, actual)

    def _await_prompt(self, child: pexpect.spawn, inner: InnerCommand) -> None:
        """Wait for the prompt of an inner command."""
        try:
            child.expect(_pattern(inner))
        except (pexpect.TIMEOUT, pexpect.EOF):
            found = f"the prompt {inner.prompt} did not appear"
            raise self._error(inner.line, found, _TERMINAL.sub("", child.before or "")) from None

    def _start(self, command: Command) -> None:
        """Start a command in the background, and wait for the output in the lesson."""
        self._cleanup.record_names(command.text)
        log = self._state.with_name(f"log-{command.line}")
        with log.open("w") as out:
            child = subprocess.Popen(
                self._script(f"exec {command.text}"),
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self._running.append(child)
        deadline = time.monotonic() + SECONDS_TO_ANSWER
        while not output.matches((*command.shown, "..."), _lines(log.read_text(errors="replace"))):
            if child.poll() is not None or time.monotonic() > deadline:
                actual = _lines(log.read_text(errors="replace"))
                self._compare(command.line, f"$ {command.text}", command.shown, actual)
                raise self._error(command.line, f"$ {command.text}\nended", "\n".join(actual))
            time.sleep(0.1)

    def _press_ctrl_c(self) -> None:
        """Interrupt the background command that was started last."""
        child = self._running.pop()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGINT)
        try:
            child.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()

    def _resolve(self, path: str) -> Path:
        """Resolve a path against the current folder of the learner's terminal."""
        done = subprocess.run(
            self._script("pwd"), env=self._env, stdout=subprocess.PIPE, text=True, check=True
        )
        return Path(done.stdout.strip()) / path

    def _compare(self, line: int, thing: str, shown: Iterable[str], actual: Iterable[str]) -> None:
        shown, actual = list(shown), list(actual)
        if shown and not output.matches(shown, actual):
            found = f"{thing}\ndiffers from the lesson"
            raise self._error(line, found, _difference(shown, actual))

    def _error(self, line: int, found: str, details: str) -> LessonError:
        return LessonError(f"docs/{self._page}.md, line {line}: {found}:\n{details.rstrip()}")


def _pattern(inner: InnerCommand) -> str:
    """Return a pattern of the prompt for any container name."""
    user, at, rest = inner.prompt.partition("@")
    place = rest.partition(":")[2]
    return rf"{user}@[\w.-]+:{re.escape(place)} ?" if at else re.escape(inner.prompt) + " ?"


def _lines(text: str | None) -> list[str]:
    """Return the lines of a terminal's output without control sequences."""
    return _TERMINAL.sub("", text or "").splitlines()


def _difference(shown: list[str], actual: list[str]) -> str:
    lines = difflib.unified_diff(
        shown, [s.rstrip() for s in actual], "shown", "actual", lineterm="", n=99
    )
    return "\n".join(lines)
