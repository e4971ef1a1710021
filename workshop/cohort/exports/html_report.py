"""`report.html`: the whole class on one page that needs no other file and no network.

Everything that a learner wrote passes the sanitiser and Jinja's escaping. A content security policy
lets the browser run only the page's own script.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from workshop.cohort.exports import summary
from workshop.cohort.exports.files import write_pieces
from workshop.cohort.exports.text import (
    checks,
    describe_marks,
    is_graded,
    number,
    one_line,
    place,
    shorten,
    some_lines,
)
from workshop.core.sanitise import plain
from workshop.reports.page import create_environment, policy, read_source, read_style

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from jinja2 import Environment

    from workshop.cohort.row import Row
    from workshop.cohort.submission import Learner

TEMPLATES = Path(__file__).parent / "templates"
MOST_LEARNERS = 30  # named in a list of learners
MOST_SOURCE_LINES = 400
MOST_LINT = 20
MOST_SIMILAR = 50  # pairs of similar answers
LONGEST_NAME = 80  # characters

# How the matrix shows the outcome of a check: a class, and a sign.
_SIGNS = {"passed": ("p", "✓"), "failed": ("f", "✗"), "skipped": ("s", "–"), "error": ("e", "!")}  # noqa: RUF001
# The worst outcome comes first.
_OUTCOMES = ("ungradable", "failed", "passed")
# The chart of a distribution, in its own units.
_WIDTH, _HEIGHT, _FLOOR, _TOP = 360, 170, 140, 18


class Person(NamedTuple):
    """A learner on the page. `number` names the section, because ids can hold anything."""

    number: int
    id: str
    name: str
    find: str

    @property
    def label(self) -> str:
        """The name, or the id if there is none. A link needs a text."""
        return shorten(self.name or self.id or f"learner {self.number}", LONGEST_NAME)


class Bar(NamedTuple):
    """One bar of a chart: its place and size, its learners, and the percentages that it holds."""

    x: int
    y: float
    width: int
    height: float
    learners: int
    label: str


class Problem(NamedTuple):
    """A check that failed, or that the kit could not run.

    `id` names its message on the page, and `target` the line or file to blame if the page shows it.
    """

    id: str
    check: Mapping[str, Any]
    target: str


class Line(NamedTuple):
    """A line of an answer; `problems` are the messages that blame it."""

    id: str
    text: str
    problems: tuple[Problem, ...]


class Listing(NamedTuple):
    """A file of an answer with its first lines; `omitted` counts the others."""

    id: str
    name: str
    remark: str
    lines: tuple[Line, ...]
    omitted: int


class Page(NamedTuple):
    """What the page shows of one row besides its marks."""

    problems: tuple[Problem, ...]
    listings: tuple[Listing, ...]


def write(
    rows: Sequence[Row], folder: Path, limits: Mapping[str, bool] = MappingProxyType({})
) -> list[Path]:
    """Write `report.html` piece by piece; a row is in memory only while it is written.

    `limits` says of each limit of builds and runs, by its name, whether the engine enforced it;
    empty if that was not tried.
    """
    style = read_style(TEMPLATES / "report.css")
    script = read_source(TEMPLATES / "report.js")
    found = summary.summarise(rows)
    context = {
        "policy": policy(style, script),
        "style": style,
        "script": script,
        "people": _people(found.learners),
        "learners": {learner.id: indices for learner, indices in found.learners.items()},
        "tasks": found.tasks,
        "alike": found.alike,
        "similar": found.similar,
        "outcomes_of_class": found.outcomes,
        "limits": limits,
        "most_similar": MOST_SIMILAR,
        "read": lambda indices: (rows[index] for index in indices),
        "most_learners": MOST_LEARNERS,
        "longest_name": LONGEST_NAME,
    }
    pieces = _environment().get_template("report.html").generate(context)
    return [write_pieces(folder / "report.html", pieces)]


@cache
def _environment() -> Environment:
    environment = create_environment(TEMPLATES)
    environment.filters.update(line=one_line, lines=some_lines, number=number, shorten=shorten)
    environment.globals.update(
        bars=bars,
        describe=describe_marks,
        is_graded=is_graded,
        lint=_lint,
        outcomes=outcomes,
        page=lay_out,
        place=place,
        signs=signs,
    )
    return environment


def _people(learners: Iterable[Learner]) -> dict[str, Person]:
    people = {}
    for index, learner in enumerate(learners, 1):
        id_, name, email = map(one_line, learner)
        people[learner.id] = Person(index, id_, name, f"{id_} {name} {email}".lower())
    return people


def bars(distribution: summary.Distribution) -> Iterator[Bar]:
    """Yield the bars of the chart of a distribution, the highest of them over its full height."""
    step = _WIDTH // summary.BINS
    most = max(distribution.bins) or 1
    for index, count in enumerate(distribution.bins):
        height = round((_FLOOR - _TOP) * count / most, 1)
        last = index == summary.BINS - 1
        label = "90-100" if last else f"{10 * index}-{10 * index + 9}"
        yield Bar(index * step + 3, _FLOOR - height, step - 6, height, count, label)


def signs(row: Row, columns: Sequence[summary.Column]) -> Iterator[tuple[str, str]]:
    """Yield the class and the sign of each check in the matrix; empty if there is no result."""
    outcomes = {one_line(check.get("id")): str(check.get("outcome")) for check in checks(row)}
    for column in columns:
        yield _SIGNS.get(outcomes.get(column.id, ""), ("n", ""))


def outcomes(rows: Sequence[Row]) -> list[str]:
    """Return the outcomes of a learner's tasks, the worst first."""
    found = {row.outcome for row in rows}
    return [outcome for outcome in _OUTCOMES if outcome in found]


def lay_out(row: Row, prefix: str) -> Page:
    """Return the messages and the files of a row, linked with each other; `prefix` is unique."""
    found = [check for check in checks(row) if check.get("outcome") in {"failed", "error"}]
    problems = tuple(
        Problem(f"message-{prefix}-{index}", check, _find_target(row, check, prefix))
        for index, check in enumerate(found)
    )
    return Page(problems, tuple(_list_files(row, prefix, problems)))


def _find_target(row: Row, check: Mapping[str, Any], prefix: str) -> str:
    """Return the id of the line that a check blames, or of the file; empty if it is not shown."""
    name = check.get("file") or ("Dockerfile" if check.get("line") else "")
    found = (index for index, file in enumerate(row.files) if file.name == name)
    if (index := next(found, None)) is None:
        return ""
    line = check.get("line")
    shown = min(len(_split(row.files[index].text)), MOST_SOURCE_LINES)
    is_shown = isinstance(line, int) and 0 < line <= shown
    return f"line-{prefix}-{index}-{line}" if is_shown else f"file-{prefix}-{index}"


def _list_files(row: Row, prefix: str, problems: Iterable[Problem]) -> Iterator[Listing]:
    blamed: dict[str, list[Problem]] = {}
    for problem in problems:
        blamed.setdefault(problem.target, []).append(problem)
    for index, file in enumerate(row.files):
        texts = _split(file.text)
        ids = (f"line-{prefix}-{index}-{line}" for line in range(1, MOST_SOURCE_LINES + 1))
        lines = (
            Line(id_ if id_ in blamed else "", text, tuple(blamed.get(id_, ())))
            for id_, text in zip(ids, texts, strict=False)
        )
        name, remark = one_line(file.name), one_line(file.remark)
        omitted = max(0, len(texts) - MOST_SOURCE_LINES)
        yield Listing(f"file-{prefix}-{index}", name, remark, tuple(lines), omitted)


def _split(text: str) -> list[str]:
    """Return safe lines, counted as Docker counts them: only a line feed ends one.

    A carriage return elsewhere hides what is before it on a terminal; here, it is visible.
    """
    lines = text.removesuffix("\n").split("\n") if text else []
    return [plain(line.removesuffix("\r").replace("\r", "\u240d")) for line in lines]


def _lint(row: Row) -> list[Mapping[str, Any]]:
    return list(row.document.get("lint") or ())[:MOST_LINT]
