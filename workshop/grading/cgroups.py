"""Control groups (cgroups) of Linux, which limit the memory and processes of builds.

They need the root user, on the machine where the engine runs.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import IO, TYPE_CHECKING

from workshop.analysis.container.excess import CPU_PERIOD, cpu_quota

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.grading.limits import Limits

ROOT = Path("/sys/fs/cgroup")
_LOCKS = (Path("/run/lock"), Path("/tmp"))  # noqa: S108 - a lock without content
_PREFIX = "workshop-build-"
# As many submissions are graded at the same time, at most.
MAX_GROUPS = 64
# A process that forks while it is killed needs another round.
_ROUNDS = 100
# The kernel counts memory in batches of pages.
_PAGES = 1 << 20


class CGroup:
    """A group of processes that share limits; `root` is where the kernel shows all groups.

    Version 1 of the kernel's interface has a tree for each controller, version 2 has one tree.
    """

    def __init__(self, name: str, root: Path = ROOT) -> None:
        self.name, self._root = name, root

    @property
    def parent(self) -> str:
        """The value of `docker build --cgroup-parent`."""
        return f"/{self.name}"

    def create(self, limits: Limits) -> None:
        """Create the group with `limits`; raise `OSError` if the kernel refuses."""
        if self._is_unified:
            self._folder("").mkdir(exist_ok=True)
            self._write("memory.max", limits.memory)
            self._write("pids.max", limits.processes)
            with contextlib.suppress(OSError):
                # Not every kernel limits processors.
                quota = f"{cpu_quota(limits.cpus)} {CPU_PERIOD}" if limits.cpus else 0
                self._write("cpu.max", quota)
            with contextlib.suppress(OSError):
                self._write("memory.swap.max", "0")
            return
        for controller in ("memory", "pids", "cpu"):
            self._folder(controller).mkdir(exist_ok=True)
        self._write("memory.limit_in_bytes", limits.memory)
        self._write("pids.max", limits.processes)
        with contextlib.suppress(OSError):
            self._write("cpu.cfs_quota_us", cpu_quota(limits.cpus))
        with contextlib.suppress(OSError):
            # Memory and swap together; not every kernel counts swap.
            self._write("memory.memsw.limit_in_bytes", limits.memory)

    def processes(self) -> set[int]:
        """Return the ids of all processes in the group and below."""
        found: set[int] = set()
        # A group below may vanish at any moment, which `os.walk` ignores.
        for folder, _, _ in os.walk(self._folder("pids")):
            with contextlib.suppress(OSError, ValueError):
                found.update(map(int, Path(folder, "cgroup.procs").read_text().split()))
        return found

    def kill(self) -> None:
        """Kill every process in the group and below."""
        for _ in range(_ROUNDS):
            processes = self.processes()
            for process in processes:
                with contextlib.suppress(OSError):
                    os.kill(process, signal.SIGKILL)
            if not processes:
                return

    @property
    def ran_out_of_memory(self) -> bool:
        """Whether the group used all of its memory."""
        if self._is_unified:
            return self._events("memory.events").get("oom_kill", 0) > 0
        limit = self._number("memory.limit_in_bytes")
        return 0 < limit <= self._number("memory.max_usage_in_bytes") + _PAGES

    @property
    def ran_out_of_processes(self) -> bool:
        """Whether the group had as many processes as it may."""
        most = self._number("pids.max")
        return 0 < most <= self._number("pids.peak") or self._events("pids.events")["max"] > 0

    @property
    def was_throttled(self) -> bool:
        """Whether the group had to wait because it used its share of the processors."""
        return self._events("cpu.stat").get("nr_throttled", 0) > 0

    def remove(self) -> None:
        """Remove the group; one with processes stays."""
        tops = [self._root] if self._is_unified else self._root.glob("*/")
        for top in tops:
            folder = top / self.name
            # Groups are folders that only rmdir removes, although they seem to hold files.
            for path, _, _ in os.walk(folder, topdown=False):
                with contextlib.suppress(OSError):
                    Path(path).rmdir()

    @property
    def _is_unified(self) -> bool:
        return (self._root / "cgroup.controllers").exists()

    def _folder(self, controller: str) -> Path:
        return self._root / ("" if self._is_unified else controller) / self.name

    def _file(self, name: str) -> Path:
        return self._folder(name.partition(".")[0]) / name

    def _write(self, name: str, value: int | str) -> None:
        if value:
            self._file(name).write_text(f"{value}\n")

    def _number(self, name: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            return int(self._file(name).read_text())
        return 0

    def _events(self, name: str) -> dict[str, int]:
        found = {"max": 0}
        with contextlib.suppress(OSError, ValueError):
            lines = self._file(name).read_text().splitlines()
            found.update((key, int(value)) for key, _, value in (x.partition(" ") for x in lines))
        return found


def is_available(root: Path = ROOT) -> bool:
    """Whether this process may create groups that limit memory and processes."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    with contextlib.suppress(OSError):
        controllers = (root / "cgroup.controllers").read_text().split()
        return {"memory", "pids"} <= {*controllers}
    return all(os.access(root / name, os.W_OK) for name in ("memory", "pids", "cpu"))


@contextlib.contextmanager
def reserve(root: Path = ROOT) -> Iterator[CGroup | None]:
    """Reserve a group that no other evaluation on this machine uses; None if all are in use.

    The names are few and always the same: BuildKit reuses a step only for the same group.
    """
    for number in range(MAX_GROUPS):
        name = f"{_PREFIX}{number}"
        if lock := _lock(name):
            group = CGroup(name, root)
            try:
                # After a crash, processes of an earlier evaluation may still run.
                group.kill()
                group.remove()
                yield group
            finally:
                group.kill()
                group.remove()
                lock.close()
            return
    yield None


def remove_unused(name: str, root: Path = ROOT) -> None:
    """Remove the group of an evaluation that has ended, unless another one uses it now."""
    if name.startswith(_PREFIX) and "/" not in name and (lock := _lock(name)):
        group = CGroup(name, root)
        # The build of an evaluation that was killed goes on by itself.
        group.kill()
        group.remove()
        lock.close()


def _lock(name: str) -> IO[str] | None:
    """Lock a name on this machine until the file is closed; None if it is locked."""
    import fcntl  # noqa: PLC0415 - Windows has no such module

    folder = next(folder for folder in _LOCKS if folder.is_dir())
    file = (folder / f"{name}.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
