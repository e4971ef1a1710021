"""Tracks the containers, images and files that a check creates, so that they can be removed later.

If a check is killed, the next check reads its record file and removes what is left.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
import time
from typing import TYPE_CHECKING

from workshop.core.process import is_alive, remove_stale_folders
from workshop.grading import cgroups

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.engine import Engine

KINDS = ("containers", "images", "volumes", "projects", "folders", "cgroups")
# Without a way to ask whether a process is alive, a check counts as ended after this many seconds.
MAX_CHECK_SECONDS = 3600.0
# Instead of a process id, in the name of the record file of a check that could not clean up.
_ENDED = "ended"


class ResourceRecord:
    """The names of everything that one check creates, by kind (one of `KINDS`), saved in a file."""

    def __init__(self, file: Path) -> None:
        self._file, self._lock = file, threading.Lock()
        self.names: dict[str, list[str]] = {kind: [] for kind in KINDS}

    @property
    def name(self) -> str:
        """A name that no other record has."""
        return self._file.stem

    def record(self, kind: str, name: str) -> str:
        """Save a name before the resource is created; return the name."""
        # Threads record at the same time, and a reader must never see a partly written file.
        with self._lock, contextlib.suppress(OSError):
            self.names[kind].append(name)
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft = self._file.with_suffix(".draft")
            draft.write_text(json.dumps(self.names), encoding="utf-8")
            draft.replace(self._file)
        return name

    def remove(self, engine: Engine) -> None:
        """Remove every recorded resource that exists, and then the record file.

        If no engine answers, the file stays, for `remove_stale`.
        """
        reached = [engine.remove_project(project) for project in self.names["projects"]]
        if containers := self.names["containers"]:
            reached.append(engine.remove(*containers))
        if images := self.names["images"]:
            reached.append(engine.remove_images(*images))
        if volumes := self.names["volumes"]:
            reached.append(engine.remove_volumes(*volumes))
        for folder in self.names["folders"]:
            shutil.rmtree(folder, ignore_errors=True)
        for group in self.names["cgroups"]:
            cgroups.remove_unused(group)
        with contextlib.suppress(OSError):
            if all(reached):
                self._file.unlink(missing_ok=True)
            else:
                _, _, name = self._file.name.partition("-")
                self._file.replace(self._file.with_name(f"{_ENDED}-{name}"))


def new_record(folder: Path, name: str) -> ResourceRecord:
    """Return an empty record that belongs to this process."""
    return ResourceRecord(folder / f"{os.getpid()}-{name}.json")


def remove_stale(folder: Path, engine: Engine) -> None:
    """Remove what checks left behind that ended without cleaning up."""
    remove_stale_folders()
    # A draft was being written when its check was killed: nothing was created under that name yet.
    for draft in folder.glob("*.draft"):
        if not _is_alive(draft):
            draft.unlink(missing_ok=True)
    for file in folder.glob("*.json"):
        if not _is_alive(file):
            _read(file).remove(engine)


def _read(file: Path) -> ResourceRecord:
    found = ResourceRecord(file)
    with contextlib.suppress(OSError, ValueError, TypeError):
        document = json.loads(file.read_text(encoding="utf-8"))
        for kind in KINDS:
            found.names[kind].extend(map(str, document.get(kind, ())))
    return found


def _is_alive(file: Path) -> bool:
    """Whether the process that wrote a record file still runs, and may still need the resources."""
    pid = file.name.partition("-")[0]
    if pid == _ENDED:
        return False
    if os.name == "posix" and pid.isdigit():
        return is_alive(int(pid))
    with contextlib.suppress(OSError):
        return time.time() - file.stat().st_mtime < MAX_CHECK_SECONDS
    return True
