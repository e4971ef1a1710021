"""Checks of the learner's answers, with the code and the verdict of `workshop check`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import TYPE_CHECKING, Any

from desk.history import KEPT
from desk.lessons import folder_of
from workshop.commands import grading
from workshop.core.errors import UserError
from workshop.core.process import SubprocessRunner
from workshop.reports.json import document
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.history import History

    Send = Callable[[dict[str, Any]], None]

LONGEST_LINE = 4_000_000
SECONDS_TO_END = 30.0


class Checks:
    """Checks the folders in `exercises`; a full check sends its events while it runs.

    A full check is a separate process, so that the terminals stay fast, and its memory is free
    afterwards. It is `workshop check`, which also records the learner's progress.
    """

    def __init__(self, exercises: Path, history: History, send: Send) -> None:
        self._exercises, self._history, self._send = exercises, history, send
        self._process: asyncio.subprocess.Process | None = None
        self._running: asyncio.Task[None] | None = None
        # What a page needs to know when it connects: the events of the running check.
        self.events: list[dict[str, Any]] = []

    async def static(self, task: str) -> dict[str, Any]:
        """Return the verdict on the text of an answer, or the `problem` that prevents one."""
        folder = str(self._exercises / folder_of(task))
        grade = grading.grade_folder
        try:
            return document(
                await asyncio.to_thread(grade, task, folder, static=True, runner=SubprocessRunner)
            )
        except UserError as error:
            # Before the start of a task, there is no folder to check.
            return {"problem": str(error)}

    def changes(self, task: str) -> dict[str, str]:
        """Return what the last full check found `fixed` or `new`, by the check's name."""
        reports = self._history.read(f"check {task}")
        if len(reports) < KEPT:
            return {}
        before, now = (report["outcomes"] for report in reports)
        words = {"passed": "fixed", "failed": "new"}
        return {
            name: words[outcome]
            for name, outcome in now.items()
            if outcome in words and before.get(name, outcome) != outcome
        }

    def start(self, task: str) -> None:
        """Start a full check; raise `UserError` if one is running."""
        course.reference(task)
        if self._running and not self._running.done():
            raise UserError("check", "another one is running", "Wait for it, or stop it")
        self.events = []
        self._running = asyncio.create_task(self._run(task))

    async def stop(self) -> None:
        """End the running check, which removes what it has created, and wait for that."""
        process, running = self._process, self._running
        if process and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        if running:
            done, _ = await asyncio.wait([running], timeout=SECONDS_TO_END)
            if not done and process:
                process.kill()

    async def _run(self, task: str) -> None:
        self._record({"check": {"task": task, "state": "started"}})
        argv = ("-m", "workshop", "check", task, "--format", grading.JSON_LINES)
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                sys.executable,
                *argv,
                cwd=self._exercises.parent,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LONGEST_LINE,
                start_new_session=True,
            )
            assert process.stdout and process.stderr  # noqa: S101, PT018 - both are pipes
            errors = asyncio.create_task(process.stderr.read())
            async for line in process.stdout:
                with contextlib.suppress(ValueError):
                    self._receive(task, json.loads(line))
            await process.wait()
            error = (await errors).decode(errors="replace").strip().splitlines()[-1:]
        except OSError as failure:
            error = [failure.strerror or "the check does not start"]
        self._record({"check": {"task": task, "state": "ended", "error": "".join(error)}})
        self.events = []

    def _receive(self, task: str, event: dict[str, Any]) -> None:
        if verdict := event.get("verdict"):
            outcomes = {check["id"]: check["outcome"] for check in verdict["checks"]}
            self._history.add(f"check {task}", {"outcomes": outcomes})
            event["changes"] = self.changes(task)
        self._record({"check": {"task": task, **event}})

    def _record(self, event: dict[str, Any]) -> None:
        if "line" not in event["check"]:
            self.events.append(event)
        self._send(event)
