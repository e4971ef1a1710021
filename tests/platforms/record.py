"""Records what a test saw of a platform, for the page `docs/reference/platforms.md`.

With RECORD_PLATFORMS=1, each row is written to `results.json`, whether it works or not.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

RESULTS = Path(__file__).with_name("results.json")
LONGEST = 200  # characters of what was found


@dataclass
class Row:
    """What a test found out; `found` is shown on the page."""

    found: str = ""


@dataclass(frozen=True)
class Record:
    """Writes the rows of one platform."""

    platform: str
    enabled: bool = field(
        default_factory=lambda: os.environ.get("RECORD_PLATFORMS", "") not in {"", "0"}
    )

    @contextlib.contextmanager
    def row(self, what: str) -> Iterator[Row]:
        """Record that something works if the block ends, and that it does not if the block fails.

        The block sets `found`; a failure is described by the last line of its message, which is
        where programs say why they failed.
        """
        row = Row()
        try:
            yield row
        except (AssertionError, OSError) as error:
            self._write(what, works=False, found=str(error).strip().rpartition("\n")[2])
            raise
        self._write(what, works=True, found=row.found)

    def _write(self, what: str, *, works: bool, found: str) -> None:
        if not self.enabled:
            return
        rows = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
        kept = [row for row in rows if (row["platform"], row["what"]) != (self.platform, what)]
        kept.append(
            {
                "platform": self.platform,
                "what": what,
                "works": works,
                "found": " ".join(found.split())[:LONGEST],
                "seen": datetime.now(UTC).date().isoformat(),
            }
        )
        text = json.dumps(kept, indent=1, ensure_ascii=False)
        RESULTS.write_text(text + "\n", encoding="utf-8")
