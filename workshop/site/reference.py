"""What of the reference is generated: checks, requirements, commands, pins, lessons, a chart.

Run as `make reference`. A test holds the pages together with what they are made from.
"""

from __future__ import annotations

import re
import sys
import tomllib
from typing import TYPE_CHECKING, Any

from workshop.core.paths import ROOT
from workshop.core.process import SubprocessRunner
from workshop.site import lessons
from workshop.site.lessons import CONSOLE, NOT_RUN, OTHER_SHELL
from workshop.stack import versions
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workshop.model import Task
    from workshop.site.lessons import Page

FOLDER = ROOT / "docs/reference"
REQUIREMENTS = ROOT / "workshop/site/requirements.toml"
LADDER = ROOT / "services/fastapi/README.md"
MADE = "<!-- Made by `make reference`: change what it is made from, not this page. -->"
_CHECKS = """Each task is graded by these checks. *Stage* says what a check looks at: the text
alone (source), the built image, the running container (app), or all services of a compose file
(stack)."""
_REQUIREMENTS = """What the course's five documents ask for, and how it is graded. What cannot be
graded by looking at a container says why."""
_COMMANDS = """The words of the kit, as each explains itself. The exit code is 0 when all is well, 1
when something you built failed, and 2 when it could not be done."""
_PINS = """Every version that the course rests on, from `versions.toml`. Where no image registry
answers, the kit builds a stand-in from Debian's packages, under the same name. A test fails from
the day a version leaves support."""
_ORIGINALS = """What the course was first written for, and how to build it with that all the
same."""
_LESSONS = """What of each page is tested. *Run* are the blocks of commands that a test types, in
order, in a new folder, on a real engine; *compared* are those whose output, or whose tree of
files, is compared with what the page shows. *Included* are blocks that come from a real file.
*Other shell* are those for Windows, beside a block for Linux that is run."""
# A task, its image, and the size of that in decimal megabytes, in the table of `LADDER`.
_RUNG = re.compile(r"^\| (\S+) \| `[^`]+` \| `[^`]+` \| (\d+) \|", re.MULTILINE)
_BAR = 30  # height of a bar with the gap below it, in pixels
_LONGEST = 440  # length of the longest bar, in pixels


def pages() -> dict[str, Callable[[], str]]:
    """What makes the text of each generated page, by its file name."""
    return {
        "checks.md": checks_page,
        "requirements.md": requirements_page,
        "commands.md": commands_page,
        "pins.md": pins_page,
        "lessons.md": lambda: lessons_page(lessons.pages()),
        "image-sizes.svg": lambda: ladder_chart(LADDER.read_text(encoding="utf-8")),
    }


def checks_page() -> str:
    """Every check of every task, as a learner meets it."""
    lines = [
        "# Every check",
        MADE,
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
        MADE,
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


def commands_page() -> str:
    """The `--help` text of every command, in the order in which `workshop --help` lists them."""
    run = SubprocessRunner()

    def help_of(*command: str) -> str:
        argv = (sys.executable, "-m", "workshop", *command, "--help")
        return run(argv, env={"COLUMNS": "80"}).output.rstrip()

    parts = ["# Every command", MADE, _COMMANDS]
    for name in re.findall(r"^  (\w+)  ", help_of(), re.MULTILINE):
        parts += [f"## workshop {name}", f"```text\n{help_of(name)}\n```"]
    return "\n\n".join(parts) + "\n"


def pins_page() -> str:
    """Every pin, the day its support ends, and its stand-in."""
    pins = versions.read(ROOT / "versions.toml")
    bases = ["| image | supported until | stand-in |", "|---|---|---|"]
    for base in pins.base:
        more = f", with {', '.join(base.packages)}" if base.packages else ""
        bases.append(f"| `{base.image}` | {base.ends} | Debian {base.suite}{more} |")
    bases.append(f"\nEvery Dockerfile installs Poetry {pins.poetry.version}.")
    first = ["| service | image | today |", "|---|---|---|"]
    for old in pins.original:
        words = " ".join(f"--build-arg {key}={value}" for key, value in old.arguments.items())
        first.append(f"| {old.service} | `{old.image}` | {f'`{words}`' if words else old.gone} |")
    parts = ["# Every pin", MADE, _PINS, "## Base images", "\n".join(bases)]
    parts += ["## The original versions", _ORIGINALS, "\n".join(first)]
    return "\n\n".join(parts) + "\n"


def lessons_page(found: list[Page]) -> str:
    """How many blocks of each page are run, compared, included, or not run."""
    head = ["| page | run | compared | included | other shell | not run |"]
    rows = [*head, "|---|--:|--:|--:|--:|--:|", *(_ledger(page) for page in found)]
    run, left_out = (sum(p.count(kind) for p in found) for kind in (CONSOLE, NOT_RUN))
    parts = ["# How the lessons are tested", MADE, _LESSONS, "\n".join(rows)]
    parts.append(f"{run} blocks are run, {left_out} are not.")
    reasons = [
        f"- {page.name}, line {block.line}: {block.title}"
        for page in found
        for block in page.blocks
        if block.kind == NOT_RUN
    ]
    if reasons:
        parts += ["## Why not", "\n".join(reasons)]
    return "\n\n".join(parts) + "\n"


def ladder_chart(readme: str) -> str:
    """The measured ladder of sizes as bars: an SVG whose text has the colour of its page."""
    rungs = [(task, int(size)) for task, size in _RUNG.findall(readme)]
    most = max(size for _, size in rungs)
    said = ", ".join(f"task {task}: {size} MB" for task, size in rungs)
    box = f'viewBox="0 0 600 {_BAR * len(rungs)}"'
    style = 'role="img" font-size="14" fill="currentColor"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} {style}>',
        f"<title>Sizes of the images. {said}</title>",
    ]
    for number, (task, size) in enumerate(rungs):
        top, long = number * _BAR, round(size / most * _LONGEST)
        lines += [
            f'<text x="68" y="{top + 19}" text-anchor="end">task {task}</text>',
            f'<rect x="76" y="{top + 3}" width="{long}" height="{_BAR - 6}" fill="#5c6bc0"/>',
            f'<text x="{long + 84}" y="{top + 19}">{size} MB</text>',
        ]
    return "\n".join([*lines, "</svg>"]) + "\n"


def write(*names: str) -> None:
    """Write the pages of these names anew, or every page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    makers = pages()
    for name in names or makers:
        (FOLDER / name).write_text(makers[name](), encoding="utf-8")


def _tasks() -> Iterator[Task]:
    return (course.task(name) for name in course.TASKS)


def _rows(task: Task) -> Iterator[str]:
    for check in task.checks:
        said = f"**{cell(check.title)}** (`{check.id}`)<br>{cell(check.why)}"
        yield f"| {said} | {check.points} | {check.stage} |"


def _ledger(page: Page) -> str:
    """A page's row: how many of its blocks are what."""
    compared = sum(block.compared for block in page.blocks)
    included = sum(block.included for block in page.blocks)
    counts = (page.count(CONSOLE), compared, included, page.count(OTHER_SHELL), page.count(NOT_RUN))
    return f"| [{page.name}](../{page.name}.md) | {' | '.join(map(str, counts))} |"


def _requirement(row: dict[str, Any]) -> str:
    held = ", ".join(f"`{name}`" for name in row.get("checks", ())) or f"*{cell(row['open'])}*"
    return f"| {row['part']} | {cell(row['text'])} | {held} |"


def cell(text: str) -> str:
    """A text that can stand in a cell of a table."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


if __name__ == "__main__":
    write(*sys.argv[1:])
