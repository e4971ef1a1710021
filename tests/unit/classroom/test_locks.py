"""Lock files: the pins and digests of each kind."""

from __future__ import annotations

import pytest

from workshop.classroom import locks
from workshop.classroom.locks import Pin
from workshop.core.errors import UserError
from workshop.core.paths import ROOT

A, B = "a" * 64, "b" * 64


def test_a_requirement_has_the_digests_of_all_its_lines(tmp_path):
    file = tmp_path / "requirements.txt"
    file.write_text(
        f"# Made by pip-compile\nFoo_Bar[extra]==1.2 ; python_version < '4' \\\n"
        f"    --hash=sha256:{A} \\\n    --hash=sha256:{B}\nplain==3\n"
    )
    assert locks.read(file) == [Pin("foo-bar", "1.2", frozenset({A, B})), Pin("plain", "3")]


def test_a_poetry_lock_has_the_digests_of_its_files(tmp_path):
    file = tmp_path / "poetry.lock"
    files = f'[{{file = "x.whl", hash = "sha256:{A}"}}]'
    file.write_text(f'[[package]]\nname = "X.y"\nversion = "2"\nfiles = {files}\n')
    assert locks.read(file) == [Pin("x-y", "2", frozenset({A}))]


@pytest.mark.parametrize("text", ["[[package]", "[[package]]\nname = 'x'\n", ""])
def test_a_lock_that_cannot_be_read_is_reported_with_the_fix(text, tmp_path):
    (tmp_path / "poetry.lock").write_text(text)
    with pytest.raises(UserError, match=r"poetry\.lock.*git checkout"):
        locks.read(tmp_path / "poetry.lock")


def test_every_lock_of_the_course_is_read():
    """No service has a lock with another name."""
    names = {path.name for path in (ROOT / "services").rglob("*.lock")}
    assert names == {"poetry.lock"}
    for path in (ROOT / "services").rglob("*.txt"):
        if "==" in path.read_text():
            assert path.name in locks.LOCKS
            assert locks.read(path)
