"""Threats in the submissions of a class, which `workshop grade` grades with well-behaved ones.

One run of the command grades every submission whose threat costs next to nothing, because it is
refused before anything is built, and those that attack what is written of a class. Two right
answers are among them: while one is graded, the other jobs go through dozens of threats. The same
answers are graded before, as a class for themselves.
"""

from __future__ import annotations

import contextlib
import csv
import html.parser
import io
import json
import re
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import NamedTuple

import pytest
from hostile import archive_files
from hostile.neighbour import GROSS, PATIENCE, record
from hostile.submissions import COMPOSE_TASK, FILE, TASK, lay_out
from hostile.threats import IN_CLASS, REFUSED
from rubric.examples import lay_out_answer

from workshop.cohort import local_engine
from workshop.cohort.grader import Grader
from workshop.commands import cohort
from workshop.core.process import SubprocessRunner

NEIGHBOURS = ("0-neighbour", "output-0-neighbour")
# Control characters but tab and line feed, and those that change the direction of writing.
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


class Graded(NamedTuple):
    """A class: the folder of its marks, its output, and the seconds of each learner."""

    out: Path
    printed: str
    seconds: dict[str, float]

    @property
    def rows(self) -> dict[str, dict]:
        """The rows of the marks in JSON, by learner."""
        document = json.loads((self.out / "marks.json").read_text(encoding="utf-8"))
        return {row["learner"]["id"]: row for row in document["marks"]}

    def report(self, learner: str) -> str:
        """What is written about one learner: its row, or the line that refuses it."""
        # A long line goes on below, indented.
        printed = self.printed.replace("\n  ", " ")
        lines = [line for line in printed.splitlines() if f"/{learner}." in line]
        return "\n".join([*lines, json.dumps(self.rows.get(learner, ""), ensure_ascii=False)])

    def exports(self) -> dict[str, str]:
        """The text of every file of marks."""
        files = (path for path in self.out.rglob("*") if path.is_file())
        kept = (path for path in files if path.suffix != ".sqlite" and "extracted" not in str(path))
        return {str(path.relative_to(self.out)): path.read_text(encoding="utf-8") for path in kept}


def _grade(folder: Path, out: Path) -> Graded:
    seconds: dict[str, float] = {}

    class TimedGrader(Grader):
        def __call__(self, submission):
            start = time.monotonic()
            try:
                return super().__call__(submission)
            finally:
                seconds[submission.learner.id] = time.monotonic() - start

    options = cohort.Options(folder, (TASK.name, COMPOSE_TASK.name), out, jobs=2)
    printed = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        patch.setenv("XDG_CACHE_HOME", str(out.parent / "cache"))
        patch.setattr(local_engine, "Grader", TimedGrader)
        cohort.grade(options, SubprocessRunner)
    return Graded(out, printed.getvalue(), seconds)


def _neighbours(folder: Path) -> None:
    for name in NEIGHBOURS:
        (folder / name).mkdir(parents=True)
        lay_out_answer(TASK, folder / name)
        # Identical submissions would be graded once.
        with (folder / name / FILE).open("a") as file:
            file.write(f"# {name}\n")


@pytest.fixture(scope="module")
def alone(engine, tmp_path_factory) -> Graded:  # noqa: ARG001 - needs one
    """The class without the threats."""
    top = tmp_path_factory.mktemp("alone")
    _neighbours(top / "submissions")
    return _grade(top / "submissions", top / "marks")


@pytest.fixture(scope="module")
def hostile(alone, tmp_path_factory) -> Graded:  # noqa: ARG001 - graded before
    """The class with the threats."""
    top = tmp_path_factory.mktemp("hostile")
    _neighbours(top / "submissions")
    for name, threat in IN_CLASS.items():
        if threat.archive:
            path = top / "submissions" / f"{name}.{threat.kind.replace('index', 'zip')}"
            path.write_bytes(archive_files.pack(threat.kind, threat.archive))
        else:
            lay_out(threat, top / "submissions" / (threat.learner or name))
    graded = _grade(top / "submissions", top / "marks")
    found = {path.name for path in top.iterdir()}
    assert found == {"submissions", "marks", "cache"}, "something was written elsewhere"
    return graded


@pytest.mark.engine
@pytest.mark.parametrize("name", IN_CLASS)
def test_the_threat_is_contained(name, hostile, alone, is_recorded):
    threat = IN_CLASS[name]
    learner = threat.learner or name
    report = hostile.report(learner)
    assert re.search(threat.says, report), report or hostile.printed
    outcome = hostile.rows[learner]["outcome"] if learner in hostile.rows else REFUSED
    assert outcome == threat.outcome, report
    if threat.never:
        for file, text in hostile.exports().items():
            assert not re.search(threat.never, text), file
    for neighbour in NEIGHBOURS:
        _compare(hostile.rows[neighbour], alone.rows[neighbour])
    if is_recorded:
        record(name, ratio=round(_ratio(hostile, alone), 2))


def _compare(beside: dict, alone: dict) -> None:
    for key in ("outcome", "points", "max_points"):
        assert beside[key] == alone[key], (beside, alone)
    assert beside["points"] == beside["max_points"]


def _ratio(hostile: Graded, alone: Graded) -> float:
    return max(hostile.seconds[name] / alone.seconds[name] for name in NEIGHBOURS)


@pytest.mark.engine
def test_the_neighbours_are_not_held_up(hostile, alone):
    slowest = max(hostile.seconds[name] for name in NEIGHBOURS)
    assert _ratio(hostile, alone) < GROSS or slowest < PATIENCE


@pytest.mark.engine
def test_no_export_has_characters_that_a_terminal_or_a_reader_obeys(hostile):
    for name, text in hostile.exports().items():
        assert not UNSAFE.search(text.replace("\r\n", "\n").removeprefix("\ufeff")), name


@pytest.mark.engine
def test_every_export_is_valid_and_executes_nothing(hostile):
    kinds = set()
    for name, text in hostile.exports().items():
        kinds.add(Path(name).suffix)
        if name.endswith(".json"):
            json.loads(text)
        elif name.endswith(".xml"):
            ET.fromstring(text)  # noqa: S314 - the kit's own
        elif name.endswith(".csv"):
            cells = (cell for row in csv.reader(io.StringIO(text)) for cell in row)
            assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r"))]
        elif name.endswith(".html"):
            _check_html(text)
    assert {".json", ".xml", ".csv", ".html"} <= kinds


class _Elements(html.parser.HTMLParser):
    """Collects the elements of a page, with the names of their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        self.attributes.update(name for name, _ in attrs)


def _check_html(text: str) -> None:
    elements = _Elements()
    elements.feed(text)
    assert not {"img", "iframe", "object", "embed", "base"} & elements.found
    assert not [name for name in elements.attributes if name.startswith("on")]
