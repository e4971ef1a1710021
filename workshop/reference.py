"""The pages of the reference that are generated: every check, every requirement, every mutant.

Run as `make reference`. A test holds the pages together with what they are made from.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from workshop import course
from workshop.starter import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.model import Task

FOLDER = ROOT / "docs/reference"
REQUIREMENTS = ROOT / "workshop/requirements.toml"
_MADE = "<!-- Made by `make reference`: change what it is made from, not this page. -->"
_CHECKS = """Each task is graded by these checks. *Stage* says what a check looks at: the text
alone (source), the built image, the running container (app), or all services of a compose file
(stack)."""
_REQUIREMENTS = """What the course's five documents ask for, and how it is graded. What cannot be
graded by looking at a container says why."""


def pages() -> dict[str, str]:
    """The text of each generated page, by its file name."""
    return {"checks.md": checks_page(), "requirements.md": requirements_page()}


def checks_page() -> str:
    """Every check of every task, as a learner meets it."""
    lines = [
        "# Every check",
        _MADE,
        _CHECKS,
    ]
    for task in _tasks():
        lines.append(f"## {task.name}: {task.title}")
        lines.append(f"Write {', '.join(f'`{f}`' for f in task.answer)}; {task.max_score} points.")
        lines.append("\n".join(["| check | points | stage |", "|---|---|---|", *_rows(task)]))
    return "\n\n".join(lines) + "\n"


def requirements_page() -> str:
    """Each requirement of the course's documents, against the checks that hold learners to it."""
    said = tomllib.loads(REQUIREMENTS.read_text(encoding="utf-8"))
    lines = [
        "# Requirements and checks",
        _MADE,
        _REQUIREMENTS,
    ]
    for document, title in said["documents"].items():
        rows = [row for row in said["requirement"] if row["document"] == document]
        graded = sum("checks" in row for row in rows)
        lines.append(f"## {title}")
        lines.append(f"{graded} of {len(rows)} requirements are graded.")
        head = ["| part | requirement | graded by |", "|---|---|---|"]
        lines.append("\n".join([*head, *(_requirement(row) for row in rows)]))
    return "\n\n".join(lines) + "\n"


def write() -> None:
    """Write every page anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def _tasks() -> Iterator[Task]:
    return (course.task(name) for name in course.TASKS)


def _rows(task: Task) -> Iterator[str]:
    for check in task.checks:
        said = f"**{_cell(check.title)}** (`{check.id}`)<br>{_cell(check.why)}"
        yield f"| {said} | {check.points} | {check.stage} |"


def _requirement(row: dict[str, Any]) -> str:
    held = ", ".join(f"`{name}`" for name in row.get("checks", ())) or f"*{_cell(row['open'])}*"
    return f"| {row['part']} | {_cell(row['text'])} | {held} |"


def _cell(text: str) -> str:
    """A text that can stand in a cell of a table."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


if __name__ == "__main__":
    write()
