"""What the pages of one learner share: the files, the terminals, the checks and their events."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desk import lessons, terminals
from desk.checks import Checks
from desk.files import Files
from desk.history import History
from desk.images import Images
from desk.terminals import Terminals
from workshop.commands import progress
from workshop.commands.exercises import EXERCISES
from workshop.core.paths import is_local
from workshop.tasks import course


@dataclass
class Desk:
    """What the pages share. `base` is the folder in which the lessons' commands run."""

    base: Path
    present: bool = False
    events: set[asyncio.Queue[dict[str, Any] | None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.exercises = self.base / EXERCISES
        self.files = Files(self.exercises)
        self.terminals = Terminals()
        history = History(self.exercises)
        self.checks = Checks(self.exercises, history, self.send)
        self.images = Images(self.exercises, history)

    def send(self, event: dict[str, Any]) -> None:
        """Send an event to every page.

        A page that has stopped, in a laptop that sleeps, gets `None` instead of everything that it
        has missed: it then connects again, and asks for what is there.
        """
        for queue in self.events:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(None)
            else:
                queue.put_nowait(event)

    def course(self) -> dict[str, Any]:
        """Return the lessons, and each task with the learner's progress."""
        rows = progress.read(self.exercises)
        started = progress.Progress("", 0, 0, 0, "")
        return {
            "lessons": [lesson._asdict() for lesson in lessons.lessons_in_order()],
            "tasks": {
                name: {
                    "title": course.task(name).title,
                    "state": (row := rows.get(name, started)).state,
                    "points": row.points,
                    "max_points": course.task(name).max_score,
                }
                for name in course.TASKS
            },
            "last": progress.find_last(rows),
        }

    async def lesson(self, name: str) -> dict[str, Any]:
        """Return a page of the course; a lesson also has its blocks, its files and its verdict."""
        html = lessons.read_article(name)
        if all(lesson.name != name for lesson in lessons.lessons_in_order()):
            return {"name": name, "html": html, "folder": "", "task": None, "blocks": []}
        found = {"html": html, **lessons.describe(lessons.find_lesson(name), self.base)}
        if task := found["task"]:
            task["changes"] = self.checks.changes(task["name"])
        found["paths"] = await self.list_files(found["folder"])
        return found

    async def start(self, name: str) -> dict[str, Any]:
        """Return what a page needs first; its lesson is `name`, or where the learner was."""
        found = self.course()
        known = [lesson["name"] for lesson in found["lessons"]]
        if name not in known:
            last = (one["name"] for one in found["lessons"] if one["task"] == found["last"])
            name = next(last, known[1]) if found["last"] else known[1]
        return {
            "course": found,
            "lesson": await self.lesson(name),
            "terminals": self.terminals.numbers if terminals.AVAILABLE else None,
            "present": self.present,
        }

    async def list_files(self, folder: str) -> list[str]:
        """List the files of an exercise; none has been written before its start."""
        return await asyncio.to_thread(self.files.list_files, folder) if folder else []

    async def describe_image(self, name: str) -> dict[str, Any]:
        """Return the report of a lesson's image; raise `UserError` if there is none."""
        found = lessons.describe(lessons.find_lesson(name), self.base)
        return await self.images.describe(found["images"], found["task"] and found["task"]["name"])

    def open_terminal(self, folder: str) -> int:
        """Open a terminal in an exercise's folder, if there is one; return its number."""
        found = self.files.find_folder(folder) if folder else None
        number = self.terminals.open(found or self.base)
        self.send({"terminals": self.terminals.numbers})
        return number

    async def close_terminal(self, number: int) -> None:
        """Close a terminal."""
        await self.terminals.close(number)
        self.send({"terminals": self.terminals.numbers})

    async def watch(self) -> None:
        """Send the paths that change in the exercises, until cancelled."""
        from watchfiles import awatch  # noqa: PLC0415 - slow to import

        def matters(_change: object, path: str) -> bool:
            parts = Path(path).relative_to(self.exercises).parts
            return not any(is_local(part) and part != ".env" for part in parts)

        with contextlib.suppress(OSError, RuntimeError):
            async for changes in awatch(
                self.exercises, watch_filter=matters, debounce=100, step=20
            ):
                paths = {Path(path).relative_to(self.exercises).as_posix() for _, path in changes}
                self.send({"files": sorted(paths)})

    async def close(self) -> None:
        """End the terminals and the running check."""
        await asyncio.gather(self.terminals.close_all(), self.checks.stop())
