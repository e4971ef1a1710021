"""Run other programs. No child process outlives the call that started it."""

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
from pathlib import Path
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
PIPE_BYTES = 1 << 20  # as much as a user may set on Linux by default
# Followed by the id of the process that uses the folder, itself or for a child.
FOLDER_PREFIX = "workshop-process-"


@dataclass(frozen=True)
class ProcessResult:
    """The exit code of a program, and the last lines that it printed.

    `output` is standard output and standard error. `stdout` is standard output only, unless
    the caller passed `on_line`: then it is both.
    """

    code: int
    output: str
    stdout: str = ""

    @property
    def last_line(self) -> str:
        """The last line that is not blank; empty if the program printed nothing."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        return lines[-1] if lines else ""


class Runner(Protocol):
    """Runs a program and waits for it."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        timeout: float | None = None,
    ) -> ProcessResult:
        """Run `argv`, with `env` added to the environment; `timeout` is in seconds.

        The exit code is 127 for a missing program, and 124 after a timeout.
        """
        ...

    def interact(self, argv: Sequence[str]) -> AbstractContextManager[InteractiveProcess]:
        """Start a program that answers line by line, and end it with the block."""
        ...

    def stream(self, argv: Sequence[str]) -> AbstractContextManager[IO[bytes]]:
        """Open a program's standard output as a stream, and end the program with the block."""
        ...


class InteractiveProcess:
    """A program that answers each line of input with one line of output."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child

    def ask(self, line: str, seconds: float) -> str:
        """Send a line and return the answer; empty if the program has ended.

        A program that takes longer than `seconds` is killed.
        """
        assert self._child.stdin is not None  # noqa: S101 - both were opened as pipes
        assert self._child.stdout is not None  # noqa: S101
        timer = _kill_after(self._child, seconds)
        try:
            self._child.stdin.write(line + "\n")
            self._child.stdin.flush()
            return self._child.stdout.readline(LONGEST_ANSWER).rstrip("\n")
        except (OSError, ValueError):
            return ""
        finally:
            timer.cancel()


class SubprocessRunner:
    """A `Runner` whose `stop` ends all its children, from any thread."""

    def __init__(self) -> None:
        # The folder for temporary files of each running child: docker leaves files behind
        # when it is killed.
        self._folders: dict[subprocess.Popen[str], str] = {}
        # Re-entrant: a signal handler may call `stop` while this thread holds the lock.
        self._lock = threading.RLock()
        self._stopped = self._starting = False

    def __call__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        timeout: float | None = None,
    ) -> ProcessResult:
        """See `Runner`; raises `Interrupted` after `stop` was called."""
        # `on_line` gets both outputs in their order; without it they are kept apart.
        with contextlib.ExitStack() as stack:
            errors = None if on_line else stack.enter_context(tempfile.TemporaryFile("w+b"))
            try:
                child = self._start(argv, env, errors)
            except OSError as error:
                return ProcessResult(127, f"{argv[0]}: {error.strerror}")
            timer = _kill_after(child, timeout) if timeout else None
            lines: deque[str] = deque(maxlen=KEPT_LINES)
            try:
                assert child.stdout is not None  # noqa: S101 - it was opened as a pipe
                # A program may print endlessly, and without any line break.
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
            # Close its input to end the program: a container may ignore SIGTERM.
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
        timer = _kill_after(child, SECONDS_TO_STREAM)
        try:
            _enlarge_pipe(cast("TextIOWrapper", child.stdout).fileno())
            yield cast("IO[bytes]", cast("TextIOWrapper", child.stdout).buffer)
        finally:
            timer.cancel()
            self._end(child)

    def stop(self) -> bool:
        """Terminate every running child, and refuse to start another.

        Return whether a signal handler may raise an exception now. While its thread starts a child,
        that child would be lost: `_start` ends it, and raises `Interrupted` itself.
        """
        with self._lock:
            self._stopped = True
            for child in list(self._folders):
                _signal(child, signal.SIGTERM)
            return not self._starting

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
            folder = tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-")
            self._starting = True
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
                    # In its own session, Ctrl-C reaches this program only, which then ends
                    # the child with its descendants.
                    start_new_session=True,
                )
                self._folders[child] = folder
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            finally:
                self._starting = False
            if self._stopped:
                self._end(child)
                raise Interrupted
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


def _enlarge_pipe(descriptor: int) -> None:
    """Let a pipe hold `PIPE_BYTES`, where that can be set: fewer changes between its two ends."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl  # noqa: PLC0415 - not on Windows

        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _text(file: IO[bytes] | None) -> str:
    """Return what was written to `file`, with a replacement for bytes that are not UTF-8."""
    if file is None:
        return ""
    file.seek(0)
    return file.read().decode("utf-8", errors="replace")


def _kill_after(child: subprocess.Popen[str], seconds: float) -> threading.Timer:
    timer = threading.Timer(seconds, _kill, [child])
    timer.start()
    return timer


def _kill(child: subprocess.Popen[str]) -> None:
    _signal(child, getattr(signal, "SIGKILL", signal.SIGTERM))


def _signal(child: subprocess.Popen[str], number: int) -> None:
    """Send a signal to a child and its descendants; on Windows to the child only."""
    if not hasattr(os, "killpg"):
        child.terminate()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def is_alive(pid: int) -> bool:
    """Whether a process of this id runs; on Windows, always true."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@contextlib.contextmanager
def own_folder() -> Iterator[Path]:
    """Yield a temporary folder of this process, and remove it when the block ends.

    If the process is killed, `remove_stale_folders` of another one removes it.
    """
    with tempfile.TemporaryDirectory(prefix=f"{FOLDER_PREFIX}{os.getpid()}-") as folder:
        yield Path(folder)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Put all temporary files of this process into an `own_folder`, until the block ends."""
    around = tempfile.tempdir
    with own_folder() as folder:
        tempfile.tempdir = str(folder)
        try:
            yield folder
        finally:
            tempfile.tempdir = around


def remove_stale_folders() -> None:
    """Remove the temporary folders of processes that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"):
        pid = folder.name.removeprefix(FOLDER_PREFIX).partition("-")[0]
        if pid.isdigit() and not is_alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
