"""The formats for spreadsheets and dashboards: CSV, JSON and JUnit."""

from __future__ import annotations

import csv
import json
from xml.etree import ElementTree as ET

from unit.cohort import classes

from workshop.cohort.exports import csv_marks, json_marks, junit


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_marks_csv_has_a_line_for_each_learner_and_task(tmp_path):
    rows = [
        classes.row("anna", name="Anna, A.", flags=("late", "alike"), comment="Two\nlines"),
        classes.row("anna", classes.check(1), task="task-1"),
        classes.row("ben", override=3.5),
        classes.ungradable("uma"),
    ]
    (path,) = csv_marks.write(rows, tmp_path)
    assert path.name == "marks.csv"
    lines = table(path)
    assert tuple(lines[0]) == csv_marks.COLUMNS
    assert lines[0] == {
        "learner": "anna",
        "name": "Anna, A.",
        "task": "task-5",
        "points": "2",
        "max_points": "4",
        "percent": "50",
        "outcome": "failed",
        "flags": "late; alike",
        "comment": "Two lines",
    }
    assert (lines[1]["task"], lines[1]["percent"]) == ("task-1", "100")
    assert (lines[2]["points"], lines[2]["percent"]) == ("3.5", "88")
    assert (lines[3]["points"], lines[3]["percent"]) == ("", "")


def test_no_cell_of_marks_csv_is_a_formula(tmp_path):
    (path,) = csv_marks.write(classes.hostile(), tmp_path)
    lines = table(path)
    assert len(lines) == len(classes.HOSTILE_NAMES)
    cells = [cell for line in lines for cell in line.values()]
    assert not any(cell.lstrip().startswith(tuple("=+-@\uff1d")) for cell in cells)


def test_marks_json_has_the_verdicts_and_the_marks(tmp_path):
    rows = [classes.row("anna", override=3.5, comment="Well done"), classes.ungradable()]
    (path,) = json_marks.write(rows, tmp_path)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["schema"] == "workshop/marks/v1"
    assert document["tasks"] == ["task-5"]
    anna, uma = document["marks"]
    assert anna["learner"] == {"id": "anna", "name": "", "email": ""}
    assert (anna["points"], anna["score"], anna["percent"]) == (3.5, 2, 88)
    assert anna["verdict"] == rows[0].document
    assert (uma["points"], uma["percent"], uma["outcome"]) == (None, None, "ungradable")
    assert uma["score"] is None


def test_junit_has_a_suite_for_each_learner(tmp_path):
    third = classes.check(3, "skipped", actual="not checked")
    first = classes.row("anna", classes.check(1), classes.check(2, "failed"), third)
    rows = [first, classes.row("anna", task="task-1"), classes.ungradable()]
    (path,) = junit.write(rows, tmp_path)
    anna, uma = ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - our own
    assert anna.attrib == {
        "name": "anna",
        "tests": "5",
        "failures": "2",
        "errors": "0",
        "skipped": "1",
    }
    assert [case.get("classname") for case in anna.iter("testcase")][2:4] == [
        "task-5.app",
        "task-1.app",
    ]
    failure = anna.find("testcase/failure")
    assert failure.get("message") == "Dockerfile, line 3: it listens on 127.0.0.1"
    assert "hint: Add --host 0.0.0.0." in failure.text
    assert uma.get("errors") == "1"
    assert "not graded: the engine stopped" in uma.findtext("system-out")


def test_a_submission_without_a_verdict_is_an_error_in_junit(tmp_path):
    row = classes.ungradable(document={"note": "no engine", "checks": []})
    (path,) = junit.write([row], tmp_path)
    (suite,) = ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - our own
    assert suite.find("testcase/error").get("message") == "not graded: no engine"
