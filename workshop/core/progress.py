"""Shows the progress of builds and other long jobs."""

from __future__ import annotations

import contextlib
import re
import time
from typing import TYPE_CHECKING, NamedTuple, Self

from rich.cells import cell_len, set_cell_size
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.progress import TaskID

# BuildKit's plain progress: "#12 [builder 3/7] RUN pip install ..."
_STEP = re.compile(r"#\d+ \[(?P<where>[^]]*\d+/\d+)] (?P<what>.*)")


# Columns of a line of text.
COLUMNS = 80
# Columns of the name in a line about a job that has ended, and of what stands around it.
AROUND_NAME = len("   1234.5 s  ")
_NAME, _LEAST_NAME = 38, 12


def format_line(name: str, seconds: float, remark: str) -> str:
    """Return the line about a job that has ended: of at most 80 columns, unless the remark is long.

    A long name is shortened; wide characters count twice.
    """
    rest = f" {seconds:6.1f} s  {remark}"
    left = COLUMNS - 2 - cell_len(rest)
    return f"  {fit(name, max(_LEAST_NAME, min(_NAME, left)))}{rest}".rstrip()


def fit(text: str, columns: int) -> str:
    """Fill or shorten a text to so many columns of a terminal."""
    if cell_len(text) <= columns:
        return set_cell_size(text, columns)
    return set_cell_size(f"{set_cell_size(text, columns - 3).rstrip()}...", columns)


def print_plain(console: Console, line: str) -> None:
    """Print a line as it is: no markup, no highlighting, no wrapping."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)


class Job:
    """One line of the progress display."""

    def __init__(self, name: str, show: Callable[[str], None]) -> None:
        # What is printed after the job.
        self.name, self._show = name, show
        self._start = time.monotonic()
        self.remark = ""

    @property
    def seconds(self) -> float:
        """How long the job has been running."""
        return time.monotonic() - self._start

    def step(self, line: str) -> None:
        """Show the build step if a line of BuildKit's progress starts one."""
        if found := _STEP.match(line):
            self.line(f"{found['where']} {found['what']}")

    def line(self, text: str) -> None:
        """Show a line of another program's output."""
        self._show(text.strip())

    def note(self, remark: str) -> None:
        """Set the remark that is printed after the job."""
        self.remark = remark


class _Narrow(NamedTuple):
    """Leaves room for the `^C` that a terminal shows: after a full line, it scrolls by one."""

    inner: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        narrow = options.update_width(max(1, options.max_width - len("^C ")))
        yield from console.render(self.inner, narrow)


class _Live(Progress):
    def get_renderables(self) -> Iterator[RenderableType]:
        yield _Narrow(self.make_tasks_table(self.tasks))


class ProgressDisplay:
    """One line for each running job: live on a terminal, plain lines otherwise."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = _Live(
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
        self._summary: TaskID | None = None

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._live.stop()

    def print(self, line: str) -> None:
        """Print a permanent line."""
        print_plain(self._console, line)

    def summary(self, text: str) -> None:
        """Show a line about all jobs, with the time since its first text, on a terminal."""
        if self._summary is None:
            self._summary = self._live.add_task("", total=None, step="")
        self._live.update(self._summary, description=escape(text))

    @contextlib.contextmanager
    def job(self, name: str, doing: str) -> Iterator[Job]:
        """Show `name` while the block runs, and print its duration at the end."""
        line = self._live.add_task(escape(name), total=None, step=doing)

        def show(step: str) -> None:
            self._live.update(line, step=escape(step))

        job = Job(name, show)
        try:
            yield job
        finally:
            self._live.remove_task(line)
        self.print(format_line(job.name, job.seconds, job.remark))
