"""`overrides.toml` gives manual marks and comments; a wrong entry is one line."""

from __future__ import annotations

import pytest

from workshop.cohort import overrides
from workshop.core.errors import UserError


def read(folder, text):
    (folder / overrides.NAME).write_text(text, encoding="utf-8")
    return overrides.read(folder)


def test_without_a_file_there_are_none(tmp_path):
    assert overrides.read(tmp_path) == {}


def test_an_entry_has_points_or_a_comment_or_both(tmp_path):
    text = (
        "[anna.task-5]\npoints = 20\n"
        '[ben.task-5]\ncomment = "Late."\n'
        '["c.d@x.org".task-4]\npoints = 0.5\n'
    )
    assert read(tmp_path, text) == {
        ("anna", "task-5"): (20, ""),
        ("ben", "task-5"): (None, "Late."),
        ("c.d@x.org", "task-4"): (0.5, ""),
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[anna.task-5\npoints = 1", "line 1"),
        ("anna = 5", "anna has no task"),
        ("[anna]\ntask-5 = 5", "[anna.task-5] is not a table"),
        ("[anna.task-55]\npoints = 5", "no task 'task-55'"),
        ("[a.b.task-5]\npoints = 5", "no task 'b'"),
        ("[anna.task-5]\npoint = 5", "no field 'point'"),
        ('[anna.task-5]\npoints = "5"', "points = 5. Write a number"),
        ("[anna.task-5]\npoints = true", "points = True"),
        ("[anna.task-5]\npoints = nan", "points = nan"),
        ("[anna.task-5]\npoints = 23", "Write 0 to 22 points"),
        ("[anna.task-5]\npoints = -1", "Write 0 to 22 points"),
        ("[anna.task-5]\ncomment = 5", "the comment is not a text"),
    ],
)
def test_a_wrong_entry_is_named_in_one_line(tmp_path, text, found):
    with pytest.raises(UserError) as error:
        read(tmp_path, text)
    assert found in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_text_is_one_line(tmp_path):
    (tmp_path / overrides.NAME).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"overrides\.toml"):
        overrides.read(tmp_path)
