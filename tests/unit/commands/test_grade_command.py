"""`workshop grade` as a process, with an engine that fails every build: bad input is one line.

What was stored before stays stored, whatever the input.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest
from classroom import exports, hand_in
from fakes import failing_docker
from harness import ROOT, Kit, run, until

from workshop.cohort import store

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

# The messages are tested without a process too, beside what gives them.
pytestmark = pytest.mark.slow

LEARNERS = ("anna", "ben", "carl")


class Teacher(Kit):
    """Grades a class: its submissions, and the folder for its marks, below `folder`."""

    @property
    def submissions(self) -> Path:
        return self.folder / "submissions"

    @property
    def marks(self) -> Path:
        return self.folder / "marks"

    def start(
        self, *options: str, folder: str = "submissions", **env: str
    ) -> subprocess.Popen[str]:
        return super().start("grade", folder, "--task=baby-steps", *options, **env)

    def refuse(self, *options: str, folder: str = "submissions") -> str:
        """Return the only line of a command that ends with 2."""
        code, out, err = self.run(*options, folder=folder)
        assert (code, out, err.count("\n")) == (2, "", 1), out + err
        return err


@pytest.fixture
def teacher(tmp_path) -> Teacher:
    for learner in LEARNERS:
        hand_in(tmp_path / "submissions" / learner, learner)
    (tmp_path / "tmp").mkdir()
    env = {
        # Nothing but a docker command that fails.
        "PATH": failing_docker(tmp_path / "bin"),
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "TMPDIR": str(tmp_path / "tmp"),
        "COLUMNS": "200",
    }
    return Teacher(tmp_path, env)


@pytest.fixture
def graded(teacher) -> Iterator[Teacher]:
    """A teacher with marks, which the test does not change."""
    code, _, err = teacher.run()
    assert code == 0, err
    before = exports(teacher.marks)
    assert len(before["marks.csv"].splitlines()) == len(LEARNERS) + 1
    yield teacher
    assert exports(teacher.marks) == before
    code, out, _ = teacher.run()
    assert code == 0
    assert "0 to grade" in out
    assert exports(teacher.marks) == before
    assert not [*(teacher.folder / "tmp").iterdir()]


def test_bad_input_is_one_line_and_loses_nothing(graded):
    (graded.folder / "empty").mkdir()
    assert "empty: no submissions in it" in graded.refuse(folder="empty")
    hand_in(graded.folder / "other/zoe", "zoe")
    assert "marks: it holds the marks of another class" in graded.refuse(folder="other")
    roster = graded.folder / "roster.csv"
    roster.write_text("id,name\nzoe,Zoe\nyves,Yves\n")
    assert "it names none of the 3 submissions" in graded.refuse("--roster=roster.csv")
    roster.write_text("id,name,path\nanna,Anna,anna\nanna,Ben,ben\n")
    expected = "roster.csv, line 3: Anna in line 2 has the id anna, too: Ben"
    assert expected in graded.refuse("--roster=roster.csv")


def test_a_database_of_a_newer_kit_is_refused_and_left_alone(graded):
    file = graded.marks / store.NAME
    shutil.copy(file, graded.folder)
    with sqlite3.connect(file) as marks:
        marks.execute(f"PRAGMA user_version = {store.VERSION + 1}")
    marks.close()
    assert "a newer kit wrote it" in graded.refuse()
    shutil.copy(graded.folder / store.NAME, file)


def test_an_unreadable_archive_is_one_line_and_the_others_are_graded(teacher):
    (teacher.submissions / "dora.zip").write_bytes(b"PK\3\4 and then no archive")
    code, out, err = teacher.run()
    assert code == 2
    (line,) = (line for line in err.splitlines() if "dora.zip" in line)
    assert "submissions/dora.zip: " in line
    assert "3 submissions: 0 passed, 3 failed, 0 ungradable" in out


def test_a_second_grader_says_so_and_ends_while_the_first_goes_on(teacher):
    begun, go_on = teacher.folder / "begun", teacher.folder / "go-on"
    os.mkfifo(go_on)
    with teacher.start("--jobs=1", BEGUN=str(begun), GO_ON=str(go_on)) as first:
        until(begun.exists, "a build")
        assert "marks: another grader is using this folder" in teacher.refuse()
        # Open for reading too, the FIFO keeps its lines until the builds read them.
        lines = os.open(go_on, os.O_RDWR)
        os.write(lines, b"\n" * 100)
        out, err = first.communicate(timeout=60)
        os.close(lines)
    assert first.returncode == 0, err
    assert "3 submissions: 0 passed, 3 failed, 0 ungradable" in out


def test_two_runs_of_a_class_write_the_same_bytes(teacher):
    one = teacher.run("--out=one", "--jobs=1", TZ="UTC", PYTHONHASHSEED="1", LANG="C")
    others = {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "2", "LANG": "C.UTF-8"}
    two = teacher.run("--out=two", "--jobs=3", **others)
    assert (one[0], two[0]) == (0, 0)
    first, second = exports(teacher.folder / "one"), exports(teacher.folder / "two")
    assert first == second
    assert {"marks.csv", "marks.json", "junit.xml", "report.html"} < {*first}


@pytest.fixture
def small_disk(teacher) -> Iterator[Path]:
    """The folder for marks is a separate disk with 2 MB."""
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("mounting a disk needs root")
    teacher.marks.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=2m", "workshop-test", str(teacher.marks))
    yield teacher.marks
    run("umount", str(teacher.marks))


def test_a_full_disk_is_one_line_and_loses_nothing(teacher, small_disk):
    assert teacher.run()[0] == 0
    before = exports(small_disk)
    hand_in(teacher.submissions / "dora", "dora")
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(bytes(4_000_000))
    code, _, err = teacher.run()
    assert code == 2
    assert "the disk is full" in err
    filler.unlink()
    assert exports(small_disk) == before
    code, out, _ = teacher.run()
    assert code == 0
    assert "4 submissions: 0 passed, 4 failed" in out
    assert len((small_disk / "marks.csv").read_text().splitlines()) == 5
