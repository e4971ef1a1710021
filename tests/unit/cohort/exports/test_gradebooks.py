"""The files for gradebooks, against what each platform documents, in our own words."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from unit.cohort import classes

from workshop.cohort.exports import canvas, classroom50, gradescope, moodle, prairielearn
from workshop.cohort.submission import Learner

if TYPE_CHECKING:
    from pathlib import Path

TEXT = {"type": "string"}
NON_EMPTY = {"type": "string", "minLength": 1}
WHOLE = {"type": "integer", "minimum": 0}
POINTS = {"type": "number", "minimum": 0}


def closed(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the schema of an object that has these fields and no other."""
    return {
        "type": "object",
        "required": list(required),
        "properties": required | (optional or {}),
        "additionalProperties": False,
    }


# https://github.com/foundation50/classroom50/wiki/Advanced-Autograding; the test's extra fields are
# kept as they are. Its collector wants non-empty texts, and a submission that begins with submit/.
CLASSROOM50_TEST = closed(
    {"test-name": NON_EMPTY, "passed": {"type": "boolean"}, "score": WHOLE, "max-score": WHOLE},
    {"extras": {"type": "object"}},
)
CLASSROOM50 = closed(
    {
        "schema": {"const": "classroom50/result/v1"},
        "classroom": NON_EMPTY,
        "assignment": NON_EMPTY,
        "assignment_type": {"enum": ["individual", "group"]},
        "owner": TEXT,
        "submission": {"type": "string", "pattern": "^submit/"},
        "commit": NON_EMPTY,
        "release": NON_EMPTY,
        "review": NON_EMPTY,
        "datetime": {
            "type": "string",
            "pattern": r"^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$",
        },
        "score": WHOLE,
        "max-score": WHOLE,
        "tests": {"type": "array", "items": CLASSROOM50_TEST},
    }
)

# https://gradescope-autograders.readthedocs.io/en/latest/specs/: these formats can be text, and
# these are the times at which students see something.
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
GRADESCOPE_TEST = closed(
    {"name": TEXT, "score": POINTS, "max_score": POINTS},
    {
        "status": {"enum": ["passed", "failed"]},
        "name_format": FORMAT,
        "number": TEXT,
        "output": TEXT,
        "output_format": FORMAT,
        "tags": {"type": "array", "items": TEXT},
        "visibility": VISIBILITY,
        "extra_data": {"type": "object"},
    },
)
GRADESCOPE = closed(
    {"score": POINTS, "tests": {"type": "array", "items": GRADESCOPE_TEST}},
    {
        "execution_time": POINTS,
        "output": TEXT,
        "output_format": FORMAT,
        "test_output_format": FORMAT,
        "test_name_format": FORMAT,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "leaderboard": {"type": "array"},
    },
)

# https://prairielearn.readthedocs.io/en/latest/externalGrading/: the score is a share, and may
# only be missing where the submission is not gradable.
PRAIRIELEARN = {
    "type": "object",
    "required": ["gradable"],
    "properties": {
        "gradable": {"type": "boolean"},
        "score": {"type": "number", "minimum": 0, "maximum": 1},
        "message": TEXT,
        "output": TEXT,
        "tests": {
            "type": "array",
            "items": closed(
                {"name": TEXT},
                {
                    "description": TEXT,
                    "points": POINTS,
                    "max_points": POINTS,
                    "message": TEXT,
                    "output": TEXT,
                },
            ),
        },
    },
    "if": {"properties": {"gradable": {"const": True}}},
    "then": {"required": ["score"]},
    "else": {"not": {"required": ["score"]}},
}
SCHEMAS = {gradescope: GRADESCOPE, prairielearn: PRAIRIELEARN, classroom50: CLASSROOM50}
ALL = [
    *classes.large(8, ("task-1", "task-5")),
    *classes.hostile(),
    classes.row("over", override=99.5),
    classes.row("under", override=0.0),
    classes.ungradable("uma"),
    classes.ungradable("hand", override=3.0),
    classes.ungradable("none", document={}),
]


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("module", SCHEMAS, ids=lambda module: module.__name__.split(".")[-1])
def test_every_file_follows_the_schema(module, tmp_path):
    validator = Draft202012Validator(SCHEMAS[module])
    for path in module.write(ALL, tmp_path):
        assert [error.message for error in validator.iter_errors(read(path))] == []
        assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("schema", SCHEMAS.values())
@pytest.mark.parametrize("broken", [{}, {"score": "12"}, {"gradable": True}, {"score": -1}])
def test_the_schemas_refuse_something_else(schema, broken):
    assert not Draft202012Validator(schema).is_valid(broken)


def test_gradescope_gets_one_file_with_all_tasks_of_a_learner(tmp_path):
    rows = [classes.row("anna", override=3.5), classes.row("anna", task="task-1")]
    (path,) = gradescope.write(rows, tmp_path)
    assert path == tmp_path / "gradescope/anna/results.json"
    document = read(path)
    assert document["score"] == 5.5
    assert [test["number"] for test in document["tests"]] == ["1.1", "1.2", "2.1", "2.2"]
    failed = document["tests"][1]
    assert (failed["status"], failed["score"], failed["max_score"]) == ("failed", 0, 2)
    assert failed["output"].startswith("actual: it listens on 127.0.0.1\nexpected: ")


@pytest.mark.parametrize("module", [gradescope, classroom50])
def test_no_platform_is_told_zero_points_for_an_error_of_the_kit(module, tmp_path):
    assert module.write([classes.row()], tmp_path) != []
    assert module.write([classes.ungradable("anna")], tmp_path) == []
    assert list(tmp_path.rglob("*.json")) == []


def test_prairielearn_takes_no_attempt_for_an_error_of_the_kit(tmp_path):
    (path,) = prairielearn.write([classes.ungradable()], tmp_path)
    document = read(path)
    assert document["gradable"] is False
    assert "score" not in document
    assert document["message"] == "task-5: not graded: the engine stopped"


@pytest.mark.parametrize(("override", "score"), [(None, 0.5), (3.0, 0.75), (99.0, 1.0)])
def test_prairielearn_gets_a_share_of_the_points(override, score):
    assert prairielearn.results([classes.row(override=override)])["score"] == score


RUNNER = {
    "CLASSROOM": "containers",
    "ASSIGNMENT": "non-root",
    "ASSIGNMENT_TYPE": "group",
    "OWNER": "ada",
    "SUBMISSION_TAG": "submit/2026-11-02T09-30-00Z-abc",
    "COMMIT_URL": "https://git.test/commit/1",
    "RELEASE_URL": "https://git.test/releases/1",
    "REVIEW_URL": "https://git.test/compare/1",
}


def test_classroom50_takes_its_fields_from_the_runner(tmp_path):
    (path,) = classroom50.write([classes.row("anna")], tmp_path, RUNNER)
    assert path == tmp_path / "classroom50/task-5/anna/result.json"
    document = read(path)
    fields = ("classroom", "assignment", "assignment_type", "owner", "submission", "commit")
    assert [document[field] for field in fields] == list(RUNNER.values())[:6]
    assert (document["release"], document["review"]) == tuple(RUNNER.values())[6:]
    assert document["datetime"] == "2026-11-02T09:30:00Z"
    assert (document["score"], document["max-score"]) == (2, 4)
    assert document["tests"][1]["extras"]["outcome"] == "failed"


def test_classroom50_without_the_runner_names_the_submission():
    row = classes.row("anna", digest="0123456789abcdef", handed_in="")
    document = classroom50.result(row, {})
    assert document["owner"] == "anna"
    assert document["submission"] == "submit/0123456789ab"
    assert document["commit"] == "sha256:0123456789abcdef"
    assert document["datetime"] == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize(("override", "score"), [(2.6, 3), (99.0, 4), (-1.0, 0)])
def test_classroom50_takes_whole_points_up_to_the_full_points(override, score):
    assert classroom50.result(classes.row(override=override), {})["score"] == score


def test_moodle_gets_a_worksheet_of_a_download(tmp_path):
    origin = "download/Anna A_1234_assignsubmission_file_"
    anna = classes.row("1234", name="Anna A", email="a@b.test", origin=origin, override=2.5)
    lost = classes.ungradable("77", origin="x_77_assignsubmission_file/a.zip")
    written = moodle.write([anna, lost, classes.row("ben")], tmp_path)
    assert [path.name for path in written] == ["grades.csv", "task-5-worksheet.csv"]
    first, second = table(written[1])
    assert tuple(first) == moodle.WORKSHEET
    assert first["Identifier"] == "Participant 1234"
    assert (first["Grade"], first["Maximum Grade"]) == ("2.5", "4")
    assert first["Feedback comments"].startswith(
        "2.5 of 4 points (63 %), failed, marked by hand<br>"
    )
    assert (second["Identifier"], second["Grade"]) == ("Participant 77", "")


@pytest.mark.parametrize(
    "origin",
    [
        "submissions/anna",
        "x/Eve_99_assignsubmission_file_1234_assignsubmission_file_",
        "x/Eve_1234_assignsubmission_file_/y_99_assignsubmission_file_",
        "x/Eve_1234_assignsubmission_file_b_99_assignsubmission_file_c.zip",
        "x/Eve/_assignsubmission_",
    ],
)
def test_no_learner_chooses_who_gets_the_mark_in_moodle(origin, tmp_path):
    (path,) = moodle.write([classes.row("1234", origin=origin)], tmp_path)
    assert path.name == "grades.csv"


def test_the_number_of_a_participant_is_no_id_number_in_moodle(tmp_path):
    origin = "x/Anna_1234_assignsubmission_file_/task-5"
    path, _ = moodle.write([classes.row("1234", name="Anna", origin=origin)], tmp_path)
    (anna,) = table(path)
    assert (anna["ID number"], anna["Full name"]) == ("", "Anna")


def test_moodle_imports_one_column_of_points_and_one_of_feedback_for_each_task(tmp_path):
    rows = [classes.row("anna", email="a@b.test"), classes.row("ben", task="task-1")]
    (path,) = moodle.write(rows, tmp_path)
    anna, ben = table(path)
    assert list(anna) == [
        "ID number",
        "Full name",
        "Email address",
        "task-5 (Real)",
        "task-5 (Feedback)",
        "task-1 (Real)",
        "task-1 (Feedback)",
    ]
    assert (anna["ID number"], anna["Email address"]) == ("anna", "a@b.test")
    assert (anna["task-5 (Real)"], anna["task-1 (Real)"]) == ("2", "")
    assert (ben["task-5 (Real)"], ben["task-1 (Real)"]) == ("", "2")


def test_no_feedback_in_moodle_holds_a_tag_of_a_learner(tmp_path):
    (path,) = moodle.write(classes.hostile(), tmp_path)
    text = path.read_text(encoding="utf-8")
    names = (line["Full name"] for line in table(path))
    feedback = "".join(line["task-5 (Feedback)"] for line in table(path))
    assert any("<script>" in name for name in names)
    assert set(re.findall(r"<[^>]*>?", feedback)) == {"<br>"}
    assert text.count("\n") == len(classes.HOSTILE_NAMES) + 1


def test_canvas_gets_the_points_possible_and_a_line_for_each_learner(tmp_path):
    rows = [
        classes.row("anna", name="A, Anna", email="a@b.test"),
        classes.row("anna", task="task-1"),
        classes.ungradable("uma"),
        classes.row("ben", override=3.25),
    ]
    (path,) = canvas.write(rows, tmp_path)
    possible, anna, uma, ben = table(path)
    assert tuple(possible) == (*canvas.COLUMNS, "task-5", "task-1")
    assert list(possible.values()) == ["    Points Possible", "", "", "", "", "4", "4"]
    assert list(anna.values()) == ["A, Anna", "", "anna", "a@b.test", "", "2", "2"]
    assert list(uma.values()) == ["uma", "", "uma", "uma", "", "", ""]
    assert ben["task-5"] == "3.25"


def test_a_number_counts_as_the_id_in_canvas_only_if_the_download_says_so(tmp_path):
    origin = "submissions/annaa_LATE_1234_98765_Dockerfile"
    known = classes.row("1234", name="A", email="a@b.test", origin=origin)
    (path,) = canvas.write([known, classes.row("5678", origin="submissions/5678")], tmp_path)
    _, first, second = table(path)
    assert (first["ID"], first["SIS User ID"], first["SIS Login ID"]) == ("1234", "", "a@b.test")
    assert (second["ID"], second["SIS User ID"]) == ("", "5678")


@pytest.mark.parametrize(
    "name", ["Points Possible", "my Points \u200bPossible", "Points  Possible"]
)
def test_no_learner_sets_the_points_possible_in_canvas(name, tmp_path):
    (path,) = canvas.write([classes.row("eve", learner=Learner("eve", name))], tmp_path)
    assert [line["Student"] for line in table(path)] == ["    Points Possible", "eve"]
    (path,) = canvas.write([classes.row("eve", learner=Learner(name, name))], tmp_path)
    assert [line["Student"] for line in table(path)] == ["    Points Possible", ""]
