"""`junit.xml`: one test suite for each learner, for test dashboards."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from workshop.cohort.exports.files import by_learner, write_pieces
from workshop.cohort.exports.text import checks, describe_marks, explain, one_line, place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from workshop.cohort.row import Row

# The element of a test case by the outcome of the check.
_ELEMENTS = {"failed": "failure", "skipped": "skipped", "error": "error"}
_COUNTS = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def write(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write `junit.xml`, one suite after the other."""
    return [write_pieces(folder / "junit.xml", _pieces(rows))]


def _pieces(rows: Sequence[Row]) -> Iterator[str]:
    yield "<?xml version='1.0' encoding='utf-8'?>\n<testsuites name=\"workshop\">\n"
    for group in by_learner(rows):
        suite = _suite(group)
        ET.indent(suite)
        yield ET.tostring(suite, encoding="unicode") + "\n"
    yield "</testsuites>\n"


def _suite(rows: Sequence[Row]) -> ET.Element:
    learner = rows[0].learner
    cases = [case for row in rows for case in _cases(row)]
    found = Counter(child.tag for case in cases for child in case)
    suite = ET.Element("testsuite", name=one_line(learner.id), tests=str(len(cases)))
    for tag, attribute in _COUNTS.items():
        suite.set(attribute, str(found[tag]))
    suite.extend(cases)
    lines = [f"{one_line(row.task)}: {describe_marks(row)}" for row in rows]
    ET.SubElement(suite, "system-out").text = "\n".join(lines)
    return suite


def _cases(row: Row) -> Iterable[ET.Element]:
    for check in checks(row):
        yield _case(row, check)
    if not checks(row) and row.outcome != "passed":
        case = ET.Element("testcase", classname=one_line(row.task), name="can be graded")
        ET.SubElement(case, "error", message=describe_marks(row))
        yield case


def _case(row: Row, check: dict[str, Any]) -> ET.Element:
    name = one_line(check.get("title") or check.get("id"))
    group = f"{one_line(row.task)}.{one_line(check.get('stage') or 'check')}"
    case = ET.Element("testcase", classname=group, name=name)
    outcome = str(check.get("outcome"))
    if outcome in _ELEMENTS:
        message = one_line(check.get("actual") or outcome)
        if where := place(check):
            message = f"{where}: {message}"
        element = ET.SubElement(case, _ELEMENTS[outcome], message=message)
        if outcome == "failed":
            element.text = explain(check)
    return case
