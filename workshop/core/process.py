"""Other programs, run to their end: no child outlives the call that started it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import deque
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol, cast

from workshop.core.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from io import TextIOWrapper

TIMED_OUT = 124
KEPT_LINES = 2000
LONGEST_LINE = 65_536
LONGEST_ANSWER = 4_000_000
SECONDS_TO_END = 10.0
SECONDS_TO_STREAM = 600.0


@dataclass(frozen=True)
class ProcessResult:
    """How a program ended: its exit code, and the last lines of what it printed.

    `output` is both of its outputs; `stdout` its standard output, without what it printed
    as an error, but where somebody listened to every line: then it is both.
    """

    code: int
    output: str
    stdout: str = ""

    @property
    def last_line(self) -> str:
        """The last line that says something; empty where the program said nothing."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        return lines[-1] if lines else ""


class Runner(Protocol):
    """Runs one program and waits for it."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        timeout: float | None = None,
    ) -> ProcessResult:
        """Run `argv`; `env` is added to this process's own; `timeout` is in seconds.

        A program that is missing ends with code 127, one that is too slow with 124.
        """
        ...

    def interact(self, argv: Sequence[str]) -> AbstractContextManager[InteractiveProcess]:
        """A program to ask and be answered by, line by line, until the block ends."""
        ...

    def stream(self, argv: Sequence[str]) -> AbstractContextManager[IO[bytes]]:
        """What a program prints, as it prints it, until the block ends."""
        ...


class InteractiveProcess:
    """A program that answers one line to each that it is told."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child

    def ask(self, line: str, seconds: float) -> str:
        """Its answer; empty where it has ended, or took longer, which ends it."""
        assert self._child.stdin is not None  # noqa: S101 - both were opened as pipes
        assert self._child.stdout is not None  # noqa: S101
        timer = threading.Timer(seconds, _kill, [self._child])
        timer.start()
        try:
            self._child.stdin.write(line + "\n")
            self._child.stdin.flush()
            return self._child.stdout.readline(LONGEST_ANSWER).rstrip("\n")
        except (OSError, ValueError):
            return ""
        finally:
            timer.cancel()


class SubprocessRunner:
    """A `Runner` that can stop all it has started, from whichever thread."""

    def __init__(self) -> None:
        # Each child has its own folder for temporary files, which is removed when the child ends:
        # docker leaves files behind when it is killed.
        self._folders: dict[subprocess.Popen[str], str] = {}
        # Re-entrant: a signal may call `stop` while this thread holds it.
        self._lock = threading.RLock()
        self._stopped = False

    def __call__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        timeout: float | None = None,
    ) -> ProcessResult:
        """See `Runner`; `Interrupted` is raised once `stop` was called."""
        # Who listens hears both outputs in their order; who asks gets the answer apart.
        with contextlib.ExitStack() as stack:
            errors = None if on_line else stack.enter_context(tempfile.TemporaryFile("w+b"))
            try:
                child = self._start(argv, env, errors)
            except OSError as error:
                return ProcessResult(127, f"{argv[0]}: {error.strerror}")
            timer = threading.Timer(timeout, _kill, [child]) if timeout else None
            if timer:
                timer.start()
            lines: deque[str] = deque(maxlen=KEPT_LINES)
            try:
                assert child.stdout is not None  # noqa: S101 - it was opened as a pipe
                # A program may print without an end of line, and without an end.
                while line := child.stdout.readline(LONGEST_LINE):
                    lines.append(line)
                    if on_line:
                        on_line(line.rstrip("\n"))
                code = child.wait()
            finally:
                self._end(child)
                late = timer is not None and not timer.is_alive()
                if timer:
                    timer.cancel()
            stdout = "".join(lines)
            return ProcessResult(
                TIMED_OUT if late and code else code, stdout + _text(errors), stdout
            )

    @contextlib.contextmanager
    def interact(self, argv: Sequence[str]) -> Iterator[InteractiveProcess]:
        """See `Runner`."""
        child = self._start(argv, None, None, stdin=subprocess.PIPE)
        try:
            yield InteractiveProcess(child)
        finally:
            # The end of its input ends the program; a container may ignore SIGTERM.
            if child.stdin:
                with contextlib.suppress(OSError):
                    child.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(SECONDS_TO_END)
            self._end(child)

    @contextlib.contextmanager
    def stream(self, argv: Sequence[str]) -> Iterator[IO[bytes]]:
        """See `Runner`."""
        child = self._start(argv, None, subprocess.DEVNULL)
        timer = threading.Timer(SECONDS_TO_STREAM, _kill, [child])
        timer.start()
        try:
            yield cast("IO[bytes]", cast("TextIOWrapper", child.stdout).buffer)
        finally:
            timer.cancel()
            self._end(child)

    def stop(self) -> None:
        """End every child that still runs, and start no more."""
        with self._lock:
            self._stopped = True
            for child in list(self._folders):
                _signal(child, signal.SIGTERM)

    def _start(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None,
        errors: IO[bytes] | int | None,
        stdin: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopped:
                raise Interrupted
            folder = tempfile.mkdtemp(prefix="workshop-")
            try:
                child = subprocess.Popen(
                    argv,
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=errors or subprocess.STDOUT,
                    text=True,
                    encoding="utf-8",
                    errors="replace",
                    env={**os.environ, "TMPDIR": folder, **(env or {})},
                    # A group of its own: Ctrl-C reaches this program alone, which then ends
                    # the child and whatever the child has started.
                    start_new_session=True,
                )
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            self._folders[child] = folder
            return child

    def _end(self, child: subprocess.Popen[str]) -> None:
        if child.poll() is None:
            _signal(child, signal.SIGTERM)
            try:
                child.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                _kill(child)
                child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        with self._lock:
            folder = self._folders.pop(child)
        shutil.rmtree(folder, ignore_errors=True)


def _text(file: IO[bytes] | None) -> str:
    """What was written into `file`, as far as it is UTF-8."""
    if file is None:
        return ""
    file.seek(0)
    return file.read().decode("utf-8", errors="replace")


def _kill(child: subprocess.Popen[str]) -> None:
    _signal(child, getattr(signal, "SIGKILL", signal.SIGTERM))


def _signal(child: subprocess.Popen[str], number: int) -> None:
    """Signal a child and all that it has started; Windows knows the child alone."""
    if not hasattr(os, "killpg"):
        child.terminate()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)
