"""`marks.csv` has a line for each mark."""

from __future__ import annotations

import csv

import pytest

from workshop.cohort.exports import csv_marks
from workshop.cohort.row import Row
from workshop.cohort.submission import Learner


def row(learner: str, name: str = "", **fields) -> Row:
    mark = Row(Learner(learner, name), "task-5", "failed", 11, 22, (), "", "", "", {})
    return mark._replace(**fields)


def test_a_mark_is_a_line(tmp_path):
    rows = [
        row("anna", 'Anna "A", B.'),
        row("ben", flags=("identical to carl", "manual mark"), override=16.5, comment="Good"),
        row("carl", outcome="ungradable"),
        row("dora", outcome="ungradable", override=11),
    ]
    (file,) = csv_marks.write(rows, tmp_path)
    assert file.read_text(encoding="utf-8").splitlines() == [
        "learner,name,task,points,max_points,percent,outcome,flags,comment",
        'anna,"Anna ""A"", B.",task-5,11,22,50,failed,,',
        "ben,,task-5,16.5,22,75,failed,identical to carl; manual mark,Good",
        "carl,,task-5,,22,,ungradable,,",
        "dora,,task-5,11,22,50,ungradable,,",
    ]


def test_a_name_is_no_formula_in_a_spreadsheet(tmp_path):
    (file,) = csv_marks.write([row("=1+1", "@x\ny")], tmp_path)
    with file.open(encoding="utf-8", newline="") as opened:
        _, cells = csv.reader(opened)
    assert cells[:2] == ["'=1+1", "'@x\ny"]


def test_a_table_that_cannot_be_written_leaves_the_one_before(tmp_path):
    csv_marks.write([row("anna")], tmp_path)
    before = (tmp_path / "marks.csv").read_bytes()

    def rows():
        yield row("ben")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        csv_marks.write(rows(), tmp_path)
    assert (tmp_path / "marks.csv").read_bytes() == before
