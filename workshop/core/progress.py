"""What is going on, for as long as it goes on."""

from __future__ import annotations

import contextlib
import re
import time
from typing import TYPE_CHECKING, Self

from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from rich.console import Console

# BuildKit's plain progress: "#12 [builder 3/7] RUN pip install ..."
_STEP = re.compile(r"#\d+ \[(?P<where>[^]]*\d+/\d+)] (?P<what>.*)")


class Job:
    """One piece of work on the board."""

    def __init__(self, name: str, show: Callable[[str], None]) -> None:
        self.name, self._show = name, show
        self._start = time.monotonic()
        self.remark = ""

    @property
    def seconds(self) -> float:
        """How long this has been going on."""
        return time.monotonic() - self._start

    def step(self, line: str) -> None:
        """Show the step that a line of BuildKit's progress begins; other lines say nothing."""
        if found := _STEP.match(line):
            self.line(f"{found['where']} {found['what']}")

    def line(self, text: str) -> None:
        """Show a line of another program's output as it is."""
        self._show(text.strip())

    def note(self, remark: str) -> None:
        """What to say at the end in place of "done"."""
        self.remark = remark


class ProgressDisplay:
    """A line for each job while it runs: live on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", table_column=Column(width=30, no_wrap=True)),
            TextColumn(
                "[dim]{task.fields[step]}",
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            ),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            expand=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    @contextlib.contextmanager
    def job(self, name: str, doing: str) -> Iterator[Job]:
        """Show `name` for as long as the block runs, and what came of it at the end."""
        line = self._live.add_task(name, total=None, step=doing)

        def show(step: str) -> None:
            self._live.update(line, step=escape(step))

        job = Job(name, show)
        try:
            yield job
        finally:
            self._live.remove_task(line)
        self.say(f"  {name:<38} {job.seconds:6.1f} s  {job.remark}".rstrip())
