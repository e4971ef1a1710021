"""Generates the scorecard: what hostile submissions try, and what becomes of them.

Each file of `tests/hostile/` describes a threat. `results.json` there is written by a run of these
tests (`make hostile`), and has what the run measured.
"""

from __future__ import annotations

import json
import statistics
import tomllib
from typing import TYPE_CHECKING, Any

from workshop.core.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER = ROOT / "tests/hostile"
RESULTS = FOLDER / "results.json"
INTRODUCTION = """Hostile submissions, one for each threat that the kit knows. A test grades each of
them on a real engine, with the limits of a class, while a well-behaved submission is graded beside
it. The test compares the report with this page, and requires that the neighbour gets full marks.
[What a submission cannot do](grading.md#what-a-submission-cannot-do) describes the limits and where
they come from."""
# The title of each group, and a sentence about it. A file's name begins with its group.
GROUPS = {
    "archive": ("Archives", "What learners hand in as a zip or tar file."),
    "files": ("Files", "What a submitted folder contains."),
    "build": ("Builds", "What a Dockerfile tries while it is built, or with the image it makes."),
    "egress": ("The network of builds", "Which addresses a build reaches."),
    "run": ("Running containers", "What a program tries in its container."),
    "server": ("Servers", "How a server answers the requests of the grader."),
    "compose": ("Compose files", "What a compose file asks of the engine."),
    "stack": ("Stacks", "What the services of a compose file take of the computer."),
    "output": ("Output", "What a program prints, which the report and the marks show."),
    "names": ("Names", "What a learner is called."),
}
OUTCOMES = {
    "passed": "The submission passes: it does no harm.",
    "failed": "The check fails.",
    "ungradable": "The submission is not graded.",
    "refused": "The submission is refused.",
}
ANYWHERE = "anywhere"


def parts() -> Iterator[str]:
    """Yield a summary, and then a heading, a sentence and a table for each group."""
    threats = read()
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    yield _summary(threats, results)
    for group, (title, summary) in GROUPS.items():
        found = {name: row for name, row in threats.items() if group_of(name) == group}
        if found:
            head = ["| a submission tries | what happens | holds on | the report says |"]
            rows = [*head, "|---|---|---|---|", *(_row(row) for row in found.values())]
            yield f"## {title}"
            yield f"{summary} {len(found)} threats:"
            yield "\n".join(rows)


def read() -> dict[str, dict[str, Any]]:
    """Return the content of each threat's file, by its name."""
    files = sorted(FOLDER.glob("*.toml"))
    return {file.stem: tomllib.loads(file.read_text(encoding="utf-8")) for file in files}


def group_of(name: str) -> str:
    """Return the group of a threat: the first word of its name."""
    return name.partition("-")[0]


def _summary(threats: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    limited = sum(row.get("holds", ANYWHERE) != ANYWHERE for row in threats.values())
    text = (
        f"{len(threats)} threats. {len(threats) - limited} are contained on every computer, and "
        f"{limited} only on Linux as the root user, with an engine on the same computer."
    )
    ratios = [row["ratio"] for name, row in results.items() if name in threats]
    if ratios:
        within = sum(ratio <= 2 for ratio in ratios)  # noqa: PLR2004 - the aim
        median, worst = statistics.median(ratios), max(ratios)
        text += (
            f" The last recorded run measured {len(ratios)} of them. Beside a threat, the "
            f"neighbour took {median:.1f} times as long as alone in the median, at most twice as "
            f"long beside {within} threats, and {worst:.1f} times as long in the worst case. A "
            "computer with two cores that is busy with something else explains a factor of two."
        )
    return text


def _row(row: Mapping[str, Any]) -> str:
    holds = row.get("holds", ANYWHERE)
    where = "any computer" if holds == ANYWHERE else holds
    contained = row.get("contained") or OUTCOMES[row["outcome"]]
    # The pattern of a report: its first alternative, as a reader would write it.
    says = row["says"].split("|")[0].replace(".*", " ... ")
    cells = (_cell(row["threat"]), _cell(contained), where, f"`{_code(says)}`")
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _code(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'")
