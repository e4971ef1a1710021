"""Watches how much the builds and containers of one evaluation write to the disk.

Nobody limits the size of a layer: Docker's own limit needs XFS with quotas. So a thread looks at
the folders that the running processes write to, if the engine's files are on this machine.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workshop.core.errors import Interrupted, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from workshop.engine import Engine

SECONDS_TO_WAIT = 0.5
POLL_SECONDS = 0.2
# Free space that other programs release can hide growth, so look now and then in any case.
_POLLS_PER_LOOK = 25
# Each file also takes an entry of the file system, which an empty file fills as well.
_ENTRY = 1024
_MOUNTINFO_FIELDS = 5
_UPPER = re.compile(r"(?:^|,)upperdir=([^,]+)")


class DiskWatch:
    """Calls `on_full` once if the folders that `find_folders` returns hold more than `limit` bytes.

    `find_folders` takes the folder of the engine's files, which have to be on this machine. Looking
    takes time, so it only looks after the free space has shrunk noticeably, and every few seconds.
    Folders that were found once count until they are removed.
    """

    def __init__(
        self,
        engine: Engine,
        limit: int,
        find_folders: Callable[[Path], Iterable[Path]],
        on_full: Callable[[], None],
    ) -> None:
        self._engine, self._limit = engine, limit
        self._find, self._on_full = find_folders, on_full
        self._disk = Path()
        self._folders: set[Path] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Start to watch."""
        if hasattr(os, "statvfs"):
            self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def is_full(self) -> bool:
        """Look at the folders, and return whether they hold more than the limit."""
        self._folders.update(self._find(self._disk))
        self._folders = {folder for folder in self._folders if folder.is_dir()}
        total = 0
        for size in (size for folder in sorted(self._folders) for size in _sizes(folder)):
            total += size
            if total > self._limit:
                return True
        return False

    def _watch(self) -> None:
        # An interrupted command starts no further processes; a full disk is then its own concern.
        with contextlib.suppress(Interrupted, UserError):
            self._look_until_stopped()

    def _look_until_stopped(self) -> None:
        # A short check ends without the cost of asking the engine.
        if self._stopped.wait(SECONDS_TO_WAIT):
            return
        self._disk = Path(self._engine.root)
        if not self._engine.root or not self._disk.is_dir():
            return
        free, polls = self._free(), _POLLS_PER_LOOK
        while not self._stopped.wait(POLL_SECONDS):
            polls += 1
            if free - self._free() < self._limit / 4 and polls < _POLLS_PER_LOOK:
                continue
            if self.is_full():
                self._on_full()
                return
            free, polls = self._free(), 0

    def _free(self) -> int:
        found = os.statvfs(self._disk)
        return found.f_bavail * found.f_frsize


def _sizes(folder: Path) -> Iterator[int]:
    """Yield the bytes on the disk of each file below `folder`; links are not followed."""
    folders = [str(folder)]
    while folders:
        try:
            entries = os.scandir(folders.pop())
        except OSError:
            continue
        with entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    yield entry.stat(follow_symlinks=False).st_blocks * 512 + _ENTRY


def written_by(processes: Iterable[int], disk: Path, proc: Path = Path("/proc")) -> set[Path]:
    """Return the folders below `disk` that processes in containers write to.

    They are the upper layer of a container's file system, and what is mounted into it.
    """
    own = [mount for mount in _mounts(proc / "self/mountinfo") if disk.is_relative_to(mount.target)]
    if not own:
        return set()
    # Of several mounts on one folder, the last one counts.
    base = max(reversed(own), key=lambda mount: len(mount.target))
    found: set[Path] = set()
    for mounts in (_mounts(proc / str(pid) / "mountinfo") for pid in processes):
        upper = next((mount.upper for mount in mounts if mount.target == "/"), "")
        # A process that still starts its container sees the file systems of this machine.
        if upper and Path(upper).is_relative_to(disk):
            found.add(Path(upper))
            same = [mount for mount in mounts if mount.device == base.device]
            sources = (
                Path(base.target) / Path(mount.source).relative_to(base.source)
                for mount in same
                if Path(mount.source).is_relative_to(base.source)
            )
            found.update(path for path in sources if disk in path.parents)
    return found


class _Mount(NamedTuple):
    """A line of `mountinfo`: `source` is the folder inside the device, `upper` of an overlay."""

    device: str
    source: str
    target: str
    upper: str


def _mounts(file: Path) -> list[_Mount]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for fields in (line.split() for line in lines):
        if len(fields) > _MOUNTINFO_FIELDS:
            upper = _UPPER.search(fields[-1])
            device, source, target = fields[2:5]
            found.append(_Mount(device, source, target, upper[1] if upper else ""))
    return found
