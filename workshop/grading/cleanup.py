"""What a check leaves in the engine and on the disk, written down until it is gone.

A check that is killed outright cannot tidy up. The next one finds its ledger, and does.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workshop.engine import Engine

# Where it cannot be told whether a process lives, a check has ended after this time.
LONGEST_CHECK = 3600.0


class ResourceRecord:
    """What one check makes in the engine and on the disk, written down before it is made."""

    def __init__(self, file: Path) -> None:
        self._file, self._lock = file, threading.Lock()
        self.containers: list[str] = []
        self.images: list[str] = []
        self.volumes: list[str] = []
        self.projects: list[str] = []
        self.folders: list[str] = []

    def note(self, kind: str, name: str) -> str:
        """Write a name down; returns it."""
        # Facts are made side by side, and a reader has to find a whole ledger at any time.
        with self._lock, contextlib.suppress(OSError):
            getattr(self, kind).append(name)
            kept = {key: each for key, each in vars(self).items() if not key.startswith("_")}
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft = self._file.with_suffix(".draft")
            draft.write_text(json.dumps(kept), encoding="utf-8")
            draft.replace(self._file)
        return name

    def tidy(self, engine: Engine) -> None:
        """Remove all that is written down, there or not, and then the ledger."""
        for project in self.projects:
            engine.remove_project(project)
        if self.containers:
            engine.remove(*self.containers)
        if self.images:
            engine.remove_images(*self.images)
        if self.volumes:
            engine.remove_volumes(*self.volumes)
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
        self._file.unlink(missing_ok=True)


def ledger(folder: Path, name: str) -> ResourceRecord:
    """A new ledger of this process."""
    return ResourceRecord(folder / f"{os.getpid()}-{name}.json")


def sweep(folder: Path, engine: Engine) -> None:
    """Tidy up after checks that ended before they could."""
    for file in folder.glob("*.json"):
        if not _alive(file):
            for kept in _read(file):
                kept.tidy(engine)


def _read(file: Path) -> Iterator[ResourceRecord]:
    found = ResourceRecord(file)
    with contextlib.suppress(OSError, ValueError, TypeError):
        said = json.loads(file.read_text(encoding="utf-8"))
        for kind in ("containers", "images", "volumes", "projects", "folders"):
            getattr(found, kind).extend(map(str, said.get(kind, ())))
    yield found


def _alive(file: Path) -> bool:
    """Whether the process that wrote a ledger still runs."""
    pid = file.name.partition("-")[0]
    if os.name == "posix" and pid.isdigit():
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True
        return True
    return time.time() - file.stat().st_mtime < LONGEST_CHECK
