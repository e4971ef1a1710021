from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from workshop.cohort import platforms
from workshop.cohort.platforms import Handed, Named
from workshop.cohort.submission import Learner
from workshop.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "Smith Anna_12345_assignsubmission_file_",
            Named("Moodle", Learner("12345", "Smith Anna")),
        ),
        ("Smith Anna_12345_assignsubmission_file", Named("Moodle", Learner("12345", "Smith Anna"))),
        (
            "Ana Núñez_7_assignsubmission_file_my_work.zip",
            Named("Moodle", Learner("7", "Ana Núñez"), "my_work.zip"),
        ),
        ("Participant_7_assignsubmission_file_", Named("Moodle", Learner("7"))),
        (
            "Smith Anna_12345_assignsubmission_onlinetext_",
            Named("Moodle", Learner("12345", "Smith Anna"), is_text=True),
        ),
        (
            "Anna_1_assignsubmission_onlinetext_onlinetext.html",
            Named("Moodle", Learner("1", "Anna"), "onlinetext.html", is_text=True),
        ),
        ("Team A_55_assignsubmission_file_", Named("Moodle", Learner("55", "Team A"))),
        (
            "Default group_assignsubmission_file_",
            Named("Moodle", Learner("Default group", "Default group")),
        ),
        (
            "smithanna_12345_67890_work.zip",
            Named("Canvas", Learner("12345", "smithanna"), "work.zip"),
        ),
        (
            "smithanna_LATE_12345_67890_Dockerfile-1",
            Named("Canvas", Learner("12345", "smithanna"), "Dockerfile-1", "late"),
        ),
        ("núñezana_1_2_a_3_4_b.zip", Named("Canvas", Learner("1", "núñezana"), "a_3_4_b.zip")),
        ("anon_x7Gh2_67890_work.zip", Named("Canvas", Learner("x7Gh2"), "work.zip")),
        ("LATE_anon_x7Gh2_6_work.zip", Named("Canvas", Learner("x7Gh2"), "work.zip", "late")),
        ("smithanna_12345_text.html", Named("Canvas", Learner("12345", "smithanna"), is_text=True)),
        ("chocolate_1_2_f", Named("Canvas", Learner("1", "chocolate"), "f")),
        ("anna", None),
        ("anna.zip", None),
        ("anna_work_2.zip", None),
        ("submission_123456", None),
        ("task-1", None),
    ],
)
def test_the_learner_is_read_from_the_name_of_a_download(name: str, expected: Named | None):
    assert platforms.parse_name(name) == expected


METADATA = """\
submission_1:
  :submitters:
  - :name: Anna Smith
    :sid: '0042'
    :email: anna@example.org
  :created_at: 2026-09-01 12:30:00.123456000 Z
  :score: 3.0
  :results:
    tests: [{name: x, output: "y"}]
submission_2:
  :submitters:
  - :name: Ben
    :sid:
    :email: ben@example.org
  - :name: Cleo
    :sid: 7
submission_3: {}
"""


def test_the_submitters_and_the_time_are_read_from_a_gradescope_export(tmp_path: Path):
    (tmp_path / "submission_metadata.yml").write_text(METADATA)
    anna = Learner("0042", "Anna Smith", "anna@example.org")
    ben = Learner("ben@example.org", "Ben", "ben@example.org")
    assert platforms.read_gradescope(tmp_path) == {
        "submission_1": Handed((anna,), "2026-09-01T12:30:00.123456+00:00"),
        "submission_2": Handed((ben, Learner("7", "Cleo")), ""),
        "submission_3": Handed((Learner("submission_3"),), ""),
    }


def test_a_folder_without_metadata_is_no_gradescope_export(tmp_path: Path):
    assert platforms.read_gradescope(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("- a", "does not list submissions"),
        ("", "does not list submissions"),
        ("a: [", "not valid YAML"),
        ("a: !!python/object/apply:os.system ['true']", "not valid YAML"),
        ("[" * 5000, "not valid YAML"),
        ("? {a: b}\n: c", "not valid YAML"),
    ],
)
def test_metadata_that_cannot_be_read_is_one_line(tmp_path: Path, text: str, found: str):
    (tmp_path / "submission_metadata.yml").write_text(text)
    with pytest.raises(UserError, match=found):
        platforms.read_gradescope(tmp_path)


def test_metadata_that_is_a_fifo_is_not_read(tmp_path: Path):
    os.mkfifo(tmp_path / "submission_metadata.yml")
    with pytest.raises(UserError, match="not a regular file"):
        platforms.read_gradescope(tmp_path)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-09-01T12:30:00+02:00", "2026-09-01T12:30:00+02:00"),
        (" 2026-09-01 ", "2026-09-01T00:00:00"),
        ("yesterday", ""),
        (3, ""),
        (None, ""),
    ],
)
def test_a_time_is_passed_on_in_iso_8601(value: object, expected: str):
    assert platforms.read_time(value) == expected


@pytest.mark.parametrize(
    ("names", "parent", "known", "expected"),
    [
        (["hw-1-anna", "hw-1-ben-x"], "submissions", [], ["anna", "ben-x"]),
        (["hw-1-anna", "hw-1-anton"], "submissions", [], ["anna", "anton"]),
        (["hw-1-anna-a", "hw-1-anna-b"], "hw-1-submissions", [], ["anna-a", "anna-b"]),
        (["hw-1-anna"], "hw-1-submissions", [], ["anna"]),
        (["hw-1-anna"], "x", [], ["hw-1-anna"]),
        (["anna", "ben"], "x", [], ["anna", "ben"]),
        (["hw-", "hw-ben"], "x", [], ["hw-", "hw-ben"]),
        (["c-hw-1-anna-b", "c-hw-2-anna-b"], "x", ["b", "Anna-B"], ["Anna-B", "Anna-B"]),
        (["hw-anna", "hw-ben"], "x", ["anna"], ["anna", "ben"]),
    ],
)
def test_the_username_ends_the_name_of_a_repository(
    names: list[str], parent: str, known: list[str], expected: list[str]
):
    usernames = platforms.read_usernames(names, parent, known)
    assert [usernames[name] for name in names] == expected
