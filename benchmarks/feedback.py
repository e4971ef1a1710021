"""Measure how soon a learner sees the verdict on what was saved, at the desk and in a terminal.

The time at the desk is from the last key until the page shows the verdict on the text, with the
pause before it saves. In a terminal, it is from the write until `check --watch` has printed the
verdict. Then a full check at the desk, from the click, beside `workshop check`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from browser.conftest import FLAGS
from browser.install import BROWSERS
from browser.test_desk import Server
from playwright.sync_api import sync_playwright

from benchmarks import command, desk
from benchmarks.rounds import Case
from workshop.core.errors import UserError
from workshop.core.paths import ROOT
from workshop.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from benchmarks.rounds import Rounds

SAVED = "verdict"
# Two answers whose numbers of failed checks differ.
ANSWERS = ("FROM debian:12\n", "FROM ubuntu:24.04\nRUN echo a\n")
_WAITING = "Waiting for a file to be saved"
_FAILED = re.compile(r"\d+ failed")


class Watch:
    """`workshop check --watch --static` on a folder."""

    def __init__(self, process: subprocess.Popen[str], file: Path) -> None:
        self._process, self._file, self._number = process, file, 0
        self._failed = self._read_verdict()

    def save(self) -> dict[str, float]:
        """Save another answer; return the seconds until its verdict is printed."""
        self._number += 1
        start = time.perf_counter()
        self._file.write_text(ANSWERS[self._number % 2], encoding="utf-8")
        # One save may be two events: the verdict on the answer before may come again.
        while (failed := self._read_verdict()) == self._failed:
            pass
        self._failed = failed
        return {"text": time.perf_counter() - start}

    def _read_verdict(self) -> str:
        """Return how many checks of the next verdict have failed."""
        assert self._process.stdout is not None  # noqa: S101 - it was opened as a pipe
        failed = ""
        for line in self._process.stdout:
            if found := _FAILED.match(line):
                failed = found[0]
            if line.startswith(_WAITING):
                return failed
        raise UserError("workshop check --watch", "it has ended", "Run it by hand to see why")


@contextmanager
def watching(folder: Path) -> Iterator[Watch]:
    """Start the command on an answer, and end it with the block."""
    folder.mkdir()
    file = folder / "Dockerfile"
    file.write_text(ANSWERS[0], encoding="utf-8")
    argv = (sys.executable, "-m", "workshop", "check", desk.TASK, str(folder), "--watch")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        (*argv, "--static"), cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Watch(process, file)
        finally:
            process.terminate()


@contextmanager
def browsing() -> Iterator[Browser]:
    """Start Chromium, and end it with the block."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        raise UserError("Chromium", "it is missing", "Install Debian's package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Start the desk, and stop it with the block."""
    (folder / "exercises" / desk.TASK).mkdir(parents=True)
    server = Server.start(folder)
    try:
        yield server
    finally:
        server.stop()


def measure(rounds: Rounds) -> None:
    """Measure the verdicts on the text in turn, and then the full checks."""
    Engine().require("benchmark feedback")
    with (
        tempfile.TemporaryDirectory() as folder,
        watching(Path(folder, "watched")) as watch,
        browsing() as browser,
        serving(Path(folder, "desk")) as server,
    ):
        with desk.opened(browser, server) as page:

            def type_answer() -> dict[str, float]:
                # Two verdicts, of two texts.
                return {"text": sum(desk.measure_text(page, 1)) / 2}

            cases = [
                Case("check --watch", SAVED, watch.save),
                Case("the desk", SAVED, type_answer),
            ]
            rounds.compare(cases, share=0.5)
        shutil.copy(desk.ANSWER, Path(folder, "desk/exercises", desk.TASK))
        with desk.opened(browser, server) as page:
            rounds.step("full checks at the desk, and in a terminal")
            ours, theirs = desk.measure_check(page, Path(folder, "desk"), rounds.rounds)
    for theirs_seconds, our_seconds in zip(theirs, ours, strict=True):
        rounds.add(desk.TASK, "check", {"full": theirs_seconds})
        rounds.add(desk.TASK, "the desk", {"full": our_seconds})


if __name__ == "__main__":
    sys.exit(command.main("feedback", measure))
