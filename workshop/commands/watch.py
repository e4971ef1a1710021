"""The command `check --watch`: grade again whenever a file is saved, or at the press of a key."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from workshop.commands import exercises, grading, progress
from workshop.commands.keyboard import QUIT, open_keyboard
from workshop.core.errors import Interrupted, UserError
from workshop.grading.watch import polls
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.console import Console

    from workshop.commands.grading import GetRunner
    from workshop.model import Verdict

_WAITING = "Waiting for a file to be saved. Press Ctrl-C to quit."
_KEYS = "h hint  l list  n next task  r run again  q quit"
_BUILDING = "Building and running it; Ctrl-C quits ..."


def watch(name: str, path: str | None, kind: str, *, static: bool, runner: GetRunner) -> int:
    """Grade the folder whenever a file is saved, statically first, until Ctrl-C or `q`.

    Returns the exit code of the last verdict.
    """
    # Reports an unknown task or a missing folder.
    folder = exercises.find_folder(name, path)
    _require(name, folder)
    if kind == "text" and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        with open_keyboard() as read_keys:
            return Session(name, path, static=static, runner=runner, read_keys=read_keys).run()
    return _watch_plainly(name, path, kind, static=static, runner=runner)


def _require(name: str, folder: Path) -> None:
    from workshop.analysis import source

    source.find(course.task(name), folder)


def _watch_plainly(
    name: str, path: str | None, kind: str, *, static: bool, runner: GetRunner
) -> int:
    """Print every verdict in full, as `check` does."""
    code, first = 0, True
    try:
        for changed in polls(exercises.find_folder(name, path)):
            if not (first or changed):
                continue
            first = False
            try:
                for verdict in _grade(name, path, static=static, runner=runner):
                    grading.print_verdict(verdict, kind)
                    if verdict.static is static:
                        code = grading.EXIT_CODES[verdict.outcome]
                    else:
                        print("\nBuilding and running it ...\n")
            except UserError as error:
                print(error)
            print(f"\n{_WAITING}\n", flush=True)
    except Interrupted:
        print(f"Stopped watching {name}.")
    return code


def _grade(name: str, path: str | None, *, static: bool, runner: GetRunner) -> Iterator[Verdict]:
    """Grade the text, and then, unless `static`, the built answer, which is recorded."""
    yield grading.grade_folder(name, path, static=True, runner=runner)
    if not static:
        verdict = grading.grade_folder(name, path, static=False, runner=runner)
        grading.record(path, verdict)
        yield verdict


class Session:
    """A watched task on a terminal: one screen for each verdict, and keys below it.

    One thread is enough: keys wait in the terminal, and saved files in the watcher, while a check
    runs. `read_keys` is None without a keyboard.
    """

    def __init__(
        self,
        name: str,
        path: str | None,
        *,
        static: bool,
        runner: GetRunner,
        read_keys: Callable[[], str] | None,
    ) -> None:
        self._name, self._path, self._static, self._runner = name, path, static, runner
        self._read_keys = read_keys or (lambda: "")
        self._prompt = _KEYS if read_keys else _WAITING
        self._code, self._running, self._due = 0, True, True
        self._forget()

    def run(self) -> int:
        """Watch until `q` or an interrupt; return the exit code of the last verdict."""
        try:
            while self._running:
                self._watch_folder()
        except Interrupted:
            self._erase_prompt()
        print(f"Stopped watching {self._name}.")
        return self._code

    def _forget(self) -> None:
        """Forget the verdicts of another task."""
        # The last verdict on the text, and the last one on the built answer.
        self._last: dict[bool, Verdict] = {}
        self._verdict: Verdict | None = None
        self._hints = 0

    def _watch_folder(self) -> None:
        """Watch the folder of one task until `q` or until another task is started."""
        name = self._name
        for changed in polls(exercises.find_folder(name, self._path)):
            keys = self._read_keys()
            if changed or "r" in keys:
                self._due = True
            if self._due:
                self._due = False
                self._check()
            for key in keys:
                self._press(key)
                if not self._running or self._name != name:
                    return

    def _press(self, key: str) -> None:
        actions = {"h": self._show_hint, "l": self._show_list, "n": self._start_next}
        if key == QUIT:
            self._running = False
            self._erase_prompt()
        elif action := actions.get(key):
            self._erase_prompt()
            try:
                action()
            except UserError as error:
                print(error)
            self._show_prompt()

    def _check(self) -> None:
        try:
            verdicts = _grade(self._name, self._path, static=self._static, runner=self._runner)
            for verdict in verdicts:
                self._show(verdict)
                if verdict.static and not self._static:
                    print(f"\n{_BUILDING}", flush=True)
        except UserError as error:
            self._clear()
            print(error)
        self._show_prompt()

    def _show(self, verdict: Verdict) -> None:
        from rich.text import Text

        from workshop.reports import screen

        console = self._clear()
        before = self._last.get(verdict.static)
        # The prompt has two lines.
        rows, columns = console.height - 3, min(console.width, 100)
        for line, style in screen.format_lines(verdict, before, columns, rows):
            console.print(Text(line, style), soft_wrap=True)
        self._last[verdict.static] = self._verdict = verdict
        self._hints = 0
        if verdict.static is self._static:
            self._code = grading.EXIT_CODES[verdict.outcome]

    def _show_hint(self) -> None:
        """Show the hint of the first failure; at the next press, that of the next one."""
        if self._verdict is None:
            print("Press r to check your answer first.")
            return
        grading.show_hint(self._verdict, self._hints)
        self._hints += 1

    def _show_list(self) -> None:
        progress.show_list(exercises.find_exercises())

    def _start_next(self) -> None:
        names = list(course.TASKS)
        following = names[names.index(self._name) + 1 :]
        if not following:
            print(f"{self._name} is the last task.")
            return
        self._clear()
        grading.start(following[0], None)
        self._name, self._path = following[0], None
        self._forget()

    def _clear(self) -> Console:
        from rich.console import Console

        console = Console(highlight=False)
        console.clear()
        return console

    def _show_prompt(self) -> None:
        sys.stdout.write(f"\n{self._prompt}")
        sys.stdout.flush()

    def _erase_prompt(self) -> None:
        sys.stdout.write(f"\r{' ' * len(self._prompt)}\r")
