"""Generates the page of platforms: what was seen working, and what was not.

`tests/platforms/results.json` is written by the tests there (`make platforms`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from workshop.core.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RESULTS = ROOT / "tests/platforms/results.json"
INTRODUCTION = """What was seen working on which platform, and what was not. A test wrote each row
when it ran: `make platforms` runs them again. What is not in a table was not seen either way."""


def parts() -> Iterator[str]:
    """Yield a summary, and then a heading and a table for each platform."""
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))
    platforms: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        platforms.setdefault(row["platform"], []).append(row)
    works = sum(row["works"] for row in rows)
    yield f"{len(rows)} rows: {works} work, {len(rows) - works} do not."
    for platform in sorted(platforms):
        head = ["| what | seen | found | on |", "|---|---|---|---|"]
        yield f"## {_cell(platform)}"
        yield "\n".join([*head, *map(_row, platforms[platform])])


def _row(row: Mapping[str, Any]) -> str:
    seen = "works" if row["works"] else "**does not work**"
    return f"| {_cell(row['what'])} | {seen} | {_cell(row['found'])} | {row['seen']} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
