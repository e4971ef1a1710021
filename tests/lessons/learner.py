"""A learner: types what a lesson says into a terminal, and sees what comes.

The folder is a copy of the kit, as a learner has it, and its own compose project.
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
from lessons.leftovers import Leftovers

from workshop.site import lessons, output
from workshop.site.lessons import Said

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workshop.site.lessons import Block, Command, Page

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


class Wrong(AssertionError):  # noqa: N818 - it is the lesson that is wrong
    """Something that a lesson says is not so."""


class Learner:
    """Goes through one page, in a folder of its own, and leaves nothing behind."""

    def __init__(self, folder: Path) -> None:
        self.project = f"lesson-{secrets.token_hex(4)}"
        self.folder = folder / "workshop"
        self._state = folder / "state"
        self._running: list[subprocess.Popen[str]] = []
        self._page = ""
        self._leftovers = Leftovers(self.project)
        shutil.copytree(ROOT, self.folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
        (self.folder / ".venv").symlink_to(ROOT / ".venv")
        self._state.write_text(f"cd {self.folder}\n", encoding="utf-8")
        self._env = {
            **os.environ,
            "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
            "COMPOSE_PROJECT_NAME": self.project,
            "COLUMNS": "80",
            "LC_ALL": "C.UTF-8",
            "TERM": "dumb",
        }

    def follow(self, page: Page) -> None:
        """Do what a page says, block by block; `Wrong` says where it is not so."""
        self._page = page.name
        try:
            for block in page.blocks:
                self._do(block)
        finally:
            while self._running:
                self._end()
            self._leftovers.remove()

    def _do(self, block: Block) -> None:
        if block.kind == lessons.CONSOLE:
            self._type(block)
        elif block.kind == lessons.CTRL_C:
            self._end()
        elif block.kind in {lessons.FILE, lessons.EDIT}:
            self._save(block)
        elif block.kind == lessons.TREE:
            found = output.draw_tree(self._here(block.title))
            self._compare(block.line, block.title, block.body, found)

    def _save(self, block: Block) -> None:
        """Write a file, or change one."""
        file = self._here(block.title)
        text = "".join(f"{line}\n" for line in block.body)
        if block.kind == lessons.EDIT:
            try:
                text = output.apply_edit(file.read_text(encoding="utf-8"), block.body)
            except (OSError, ValueError) as error:
                raise self._wrong(
                    block.line, f"{block.title} cannot be changed", str(error)
                ) from None
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def _type(self, block: Block) -> None:
        *others, last = block.commands
        for command in others:
            self._run(command, fails=False)
        if "keeps-running" in block.classes:
            self._start(last)
        else:
            self._run(last, fails="fails" in block.classes)

    def _run(self, command: Command, *, fails: bool) -> None:
        """Run a command to its end, and compare what it prints with what is shown."""
        self._leftovers.heed(command.text)
        terminal = command.inner or _NEEDS_TERMINAL.search(command.text)
        code, actual = self._converse(command) if terminal else self._listen(command)
        self._leftovers.put_value()
        if bool(code) != fails:
            expected = "something else than 0" if fails else "0"
            raise self._wrong(
                command.line, f"$ {command.text}\nended with {code}, not {expected}", actual
            )
        if not terminal and command.shown:
            self._compare(command.line, f"$ {command.text}", command.shown, actual.splitlines())

    def _script(self, command: str) -> list[str]:
        """One command of a terminal that goes on: its folder and variables outlive it."""
        keep = f'code=$?; {{ export -p; printf "cd %q\\n" "$PWD"; }} > {self._state}; exit $code'
        return ["bash", "-c", f". {self._state}\n{command}\n{keep}"]

    def _listen(self, command: Command) -> tuple[int, str]:
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

    def _converse(self, command: Command) -> tuple[int, str]:
        """Run a command in a terminal, and type into it what is shown at its prompts."""
        program, *words = self._script(command.text)
        env: dict[str, str] = self._env
        child = pexpect.spawn(
            program, words, env=env, encoding="utf-8", timeout=SECONDS_TO_ANSWER, dimensions=WINDOW
        )
        now = Said(command.line, "$", command.text, command.shown)
        try:
            for said in command.inner:
                self._await(child, said)
                self._compare_said(now, child)
                if now.prompt == "$":
                    # A shell that is told the size of its window draws its prompt again.
                    child.expect([_prompt(said), pexpect.TIMEOUT], timeout=SECONDS_TO_DRAW)
                child.sendline(said.text)
                now = said
            child.expect(pexpect.EOF)
            self._compare_said(now, child)
        except pexpect.TIMEOUT:
            found = f"{now.prompt} {now.text}\nwaits for more"
            raise self._wrong(now.line, found, "\n".join(_lines(child.before))) from None
        finally:
            child.close(force=True)
        return child.exitstatus or 0, child.before or ""

    def _compare_said(self, said: Said, child: pexpect.spawn) -> None:
        """Compare what came after what was typed; a terminal repeats that first."""
        actual = _lines(child.before)
        if actual[:1] == [said.text]:
            del actual[0]
        self._compare(said.line, f"{said.prompt} {said.text}", said.shown, actual)

    def _await(self, child: pexpect.spawn, said: Said) -> None:
        """Wait for a prompt like the one shown."""
        try:
            child.expect(_prompt(said))
        except (pexpect.TIMEOUT, pexpect.EOF):
            found = f"the prompt {said.prompt} did not come"
            raise self._wrong(said.line, found, _TERMINAL.sub("", child.before or "")) from None

    def _start(self, command: Command) -> None:
        """Run a command on, and wait until it has printed what is shown."""
        self._leftovers.heed(command.text)
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
                raise self._wrong(command.line, f"$ {command.text}\nended", "\n".join(actual))
            time.sleep(0.1)

    def _end(self) -> None:
        """Press Ctrl-C in the command that was started last."""
        child = self._running.pop()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGINT)
        try:
            child.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()

    def _here(self, path: str) -> Path:
        """A path as the learner's terminal has it."""
        done = subprocess.run(
            self._script("pwd"), env=self._env, stdout=subprocess.PIPE, text=True, check=True
        )
        return Path(done.stdout.strip()) / path

    def _compare(self, line: int, what: str, shown: Iterable[str], actual: Iterable[str]) -> None:
        shown, actual = list(shown), list(actual)
        if shown and not output.matches(shown, actual):
            raise self._wrong(
                line, f"{what}\ndid not give what is shown", _difference(shown, actual)
            )

    def _wrong(self, line: int, found: str, more: str) -> Wrong:
        return Wrong(f"docs/{self._page}.md, line {line}: {found}:\n{more.rstrip()}")


def _prompt(said: Said) -> str:
    """The prompt as a pattern: the name of the container is another each time."""
    user, at, rest = said.prompt.partition("@")
    place = rest.partition(":")[2]
    return rf"{user}@[\w.-]+:{re.escape(place)} ?" if at else re.escape(said.prompt) + " ?"


def _lines(text: str | None) -> list[str]:
    """What a terminal printed, without its controls."""
    return _TERMINAL.sub("", text or "").splitlines()


def _difference(shown: list[str], actual: list[str]) -> str:
    lines = difflib.unified_diff(
        shown, [s.rstrip() for s in actual], "shown", "actual", lineterm="", n=99
    )
    return "\n".join(lines)
