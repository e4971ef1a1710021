"""The last two reports of each check and image: what has changed since the one before.

They are kept beside the learner's progress, so that they outlive the server.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    Report = dict[str, Any]

FILE = "desk.json"
KEPT = 2


class History:
    """The reports in a file of `exercises`, by name. A damaged or missing file has none."""

    def __init__(self, exercises: Path) -> None:
        self._file = exercises / FILE

    def read(self, name: str) -> list[Report]:
        """Return the reports with this name, the last one at the end."""
        found = self._read().get(name)
        return found if isinstance(found, list) else []

    def add(self, name: str, report: Report) -> list[Report]:
        """Add a report, and return those that are kept; a full disk keeps the ones before."""
        kept = [*self.read(name), report][-KEPT:]
        new = self._file.with_name(f".{FILE}.tmp")
        with contextlib.suppress(OSError):
            new.write_text(json.dumps({**self._read(), name: kept}), encoding="utf-8")
            new.replace(self._file)
        return kept

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
