"""What became of the mutants: told by the check that was meant to, or as good as the answer."""

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

_INTRODUCTION = """Each of the kit's own answers was spoilt, in one place at a time: every
instruction left out, put after its neighbour, weakened and altered. Each spoilt answer was built,
run and graded like a learner's. One that a check tells is *killed*; one that is as good as the
answer itself says why below. One that is neither would be a hole in the grading."""


@dataclass(frozen=True)
class Judged:
    """A mutant and the checks that it failed; `reason` says why it is as good as the answer."""

    mutant: Mutant
    failed: tuple[str, ...]
    intended: frozenset[str]
    reason: str

    @property
    def fate(self) -> str:
        """`killed`, `equivalent`, or `survived`: a hole."""
        if self.failed:
            return "killed"
        return "equivalent" if self.reason else "survived"


def results() -> dict[str, dict[str, Any]]:
    """What is written down of the mutants, by their names."""
    found: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def judged() -> list[Judged]:
    """Every mutant that was judged, in the order of the tasks."""
    written = results()
    said = tomllib.loads(REVIEW.read_text(encoding="utf-8"))
    return [
        Judged(
            mutant,
            tuple(written[mutant.name]["failed"]),
            frozenset(_first(said["intended"], mutant, "checks") or ()),
            str(_first(said["equivalent"], mutant, "reason") or ""),
        )
        for task in TASKS
        for mutant in mutants(task)
        if mutant.name in written
    ]


def page(found: list[Judged]) -> str:
    """The page of the reference."""
    fates = Counter(each.fate for each in found)
    real = len(found) - fates["equivalent"]
    lines = [
        "# Spoilt answers",
        MADE.replace("reference", "mutants"),
        _INTRODUCTION,
        f"**{fates['killed']} of {real} are killed: {100 * fates['killed'] / real:.1f} %.**",
        f"{fates['equivalent']} more are as good as the answer itself.",
        "\n".join(["| task | spoilt | killed | as good |", "|---|---|---|---|", *_rows(found)]),
        "## As good as the answer",
        "\n".join(["| spoilt | why it is no fault |", "|---|---|", *_equivalent(found)]),
        "## Killed",
        "\n".join(["| spoilt | told by |", "|---|---|", *_killed(found)]),
    ]
    return "\n\n".join(lines) + "\n"


def _first(rows: list[dict[str, object]], mutant: Mutant, key: str) -> object:
    return next((row[key] for row in rows if re.search(str(row["mutants"]), mutant.name)), None)


def _rows(found: list[Judged]) -> list[str]:
    rows = []
    for task in TASKS:
        fates = Counter(each.fate for each in found if each.mutant.task is task)
        total = sum(fates.values())
        rows.append(f"| {task.name} | {total} | {fates['killed']} | {fates['equivalent']} |")
    return rows


def _equivalent(found: list[Judged]) -> list[str]:
    return [
        f"| {cell(each.mutant.name)} | {cell(each.reason)} |"
        for each in found
        if each.fate == "equivalent"
    ]


def _killed(found: list[Judged]) -> list[str]:
    return [
        f"| {cell(each.mutant.name)} | {', '.join(f'`{name}`' for name in each.failed)} |"
        for each in found
        if each.fate == "killed"
    ]


def write() -> None:
    """Write the page anew."""
    PAGE.write_text(page(judged()), encoding="utf-8")


if __name__ == "__main__":
    write()
