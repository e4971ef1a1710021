"""Formats a verdict as JUnit XML, for test dashboards."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from workshop.model import Outcome
from workshop.reports import terminal

if TYPE_CHECKING:
    from workshop.model import Result, Verdict


def format_verdict(verdict: Verdict) -> str:
    """Return a test suite with one test case for each check."""
    outcomes = [result.outcome for result in verdict.results]
    suite = ET.Element(
        "testsuite",
        name=verdict.task.name,
        tests=str(len(outcomes)),
        failures=str(outcomes.count(Outcome.FAILED)),
        errors=str(outcomes.count(Outcome.ERROR)),
        skipped=str(outcomes.count(Outcome.SKIPPED)),
    )
    for result in verdict.results:
        suite.append(_case(result))
    ET.SubElement(suite, "system-out").text = terminal.summarise(verdict)
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def _case(result: Result) -> ET.Element:
    case = ET.Element("testcase", classname=result.check.stage, name=result.check.title)
    if result.outcome is Outcome.FAILED:
        message = f"actual: {result.actual}; expected: {result.expected}"
        failure = ET.SubElement(case, "failure", message=message)
        where = f"{result.file}, line {result.line}\n" if result.line else ""
        failure.text = f"{where}{result.why}\n{result.hint}\nLesson: {result.check.lesson}"
    elif result.outcome is Outcome.ERROR:
        ET.SubElement(case, "error", message=result.actual)
    elif result.outcome is Outcome.SKIPPED:
        ET.SubElement(case, "skipped", message=result.actual)
    return case
