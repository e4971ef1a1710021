"""The accounts of learners."""

from __future__ import annotations

import base64
import hashlib

import pytest

from workshop.classroom import accounts
from workshop.core.errors import UserError


def test_passwords_are_kept_for_the_instructor_and_hashed_for_the_server(tmp_path):
    users = accounts.ensure(tmp_path, ["ada", "grace"])
    passwords = dict(line.split() for line in (tmp_path / "passwords.txt").read_text().splitlines())
    assert [*passwords] == ["ada", "grace"]
    for line in users.read_text().splitlines():
        name, _, value = line.partition(":")
        raw = base64.b64decode(value.removeprefix("{SSHA}"))
        assert raw[:20] == hashlib.sha1(passwords[name].encode() + raw[20:]).digest()  # noqa: S324
        assert passwords[name] not in line


def test_a_learner_who_comes_later_changes_no_password(tmp_path):
    accounts.ensure(tmp_path, ["ada"])
    before = (tmp_path / "passwords.txt").read_text()
    accounts.ensure(tmp_path, ["grace"])
    assert (tmp_path / "passwords.txt").read_text().startswith(before)


@pytest.mark.parametrize("name", ["Ada", "a b", "-a", "amd64", "a:b", "ada/x", "é", "a" * 65])
def test_a_name_that_cannot_be_a_repository_is_refused_with_its_line(name, tmp_path):
    (tmp_path / "names").write_text(f"ada\n\n{name}\n")
    with pytest.raises(UserError, match=r"names, line 3: .* repository"):
        accounts.read_learners(tmp_path / "names")


def test_a_file_without_names_is_refused(tmp_path):
    (tmp_path / "names").write_text("\n")
    with pytest.raises(UserError, match="no name"):
        accounts.read_learners(tmp_path / "names")
