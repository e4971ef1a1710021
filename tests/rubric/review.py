"""The review of the mutants: killed by an intended check, or equivalent to the solution."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rubric.examples import HERE, TASKS
from rubric.mutants import mutants

from workshop.site.reference import FOLDER, MADE, cell

if TYPE_CHECKING:
    from rubric.mutants import Mutant

RESULTS = HERE / "mutants.json"
REVIEW = HERE / "mutants.toml"
PAGE = FOLDER / "mutation.md"

_INTRODUCTION = """A mutant is a reference solution with one change: an instruction is removed,
swapped with the next one, weakened or altered. Each mutant was built, run and graded like a
learner's answer. A mutant that fails a check is *killed*. A mutant that meets all requirements is
*equivalent*, for the reason below. Any other mutant would be a gap in the grading."""


@dataclass(frozen=True)
class Judged:
    """A mutant and the checks that it failed; `reason` says why it is equivalent."""

    mutant: Mutant
    failed: tuple[str, ...]
    intended: frozenset[str]
    reason: str

    @property
    def fate(self) -> str:
        """`killed`, `equivalent`, or `survived`, which is a gap in the grading."""
        if self.failed:
            return "killed"
        return "equivalent" if self.reason else "survived"


def results() -> dict[str, dict[str, Any]]:
    """Return the recorded results by the mutants' names."""
    found: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def judged() -> list[Judged]:
    """Return every graded mutant, in the order of the tasks."""
    recorded = results()
    review = tomllib.loads(REVIEW.read_text(encoding="utf-8"))
    return [
        Judged(
            mutant,
            tuple(recorded[mutant.name]["failed"]),
            frozenset(_first(review["intended"], mutant, "checks") or ()),
            str(_first(review["equivalent"], mutant, "reason") or ""),
        )
        for task in TASKS
        for mutant in mutants(task)
        if mutant.name in recorded
    ]


def page(found: list[Judged]) -> str:
    """Return the page of the reference."""
    fates = Counter(item.fate for item in found)
    killed, real = fates["killed"], len(found) - fates["equivalent"]
    lines = [
        "# Mutation tests",
        MADE.replace("reference", "mutants"),
        _INTRODUCTION,
        f"**{killed} of {real} mutants are killed ({100 * killed / real:.1f} %).**",
        f"{fates['equivalent']} more are equivalent to the reference solution.",
        "\n".join(["| task | mutants | killed | equivalent |", "|---|---|---|---|", *_rows(found)]),
        "## Equivalent mutants",
        "\n".join(["| mutant | reason |", "|---|---|", *_equivalent(found)]),
        "## Killed mutants",
        "\n".join(["| mutant | failed checks |", "|---|---|", *_killed(found)]),
    ]
    return "\n\n".join(lines) + "\n"


def _first(rows: list[dict[str, object]], mutant: Mutant, key: str) -> object:
    return next((row[key] for row in rows if re.search(str(row["mutants"]), mutant.name)), None)


def _rows(found: list[Judged]) -> list[str]:
    rows = []
    for task in TASKS:
        fates = Counter(item.fate for item in found if item.mutant.task is task)
        total = sum(fates.values())
        rows.append(f"| {task.name} | {total} | {fates['killed']} | {fates['equivalent']} |")
    return rows


def _equivalent(found: list[Judged]) -> list[str]:
    return [
        f"| {cell(item.mutant.name)} | {cell(item.reason)} |"
        for item in found
        if item.fate == "equivalent"
    ]


def _killed(found: list[Judged]) -> list[str]:
    return [
        f"| {cell(item.mutant.name)} | {', '.join(f'`{name}`' for name in item.failed)} |"
        for item in found
        if item.fate == "killed"
    ]


def write() -> None:
    """Write the page."""
    PAGE.write_text(page(judged()), encoding="utf-8")


if __name__ == "__main__":
    write()
