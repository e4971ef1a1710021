"""The secrets of a desk, its lock, and its links."""

from __future__ import annotations

from contextlib import closing

import pytest

from desk.session import SECONDS_TO_REUSE, Session, session_file

ADDRESS = "http://127.0.0.1:8801"


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return session_file(tmp_path / "course")


def token(link: str) -> str:
    assert link.startswith(f"{ADDRESS}/?token=")
    return link.partition("=")[2]


def secrets_of(file, now=None) -> tuple[str, str]:
    with closing(Session(file, now)) as session:
        assert session.address == ""
        session.serve(ADDRESS)
        return session.cookie, session.path


def test_the_next_desk_keeps_the_secrets_for_a_while(file, tmp_path):
    first = secrets_of(file, 1000)
    assert file.stat().st_mode & 0o777 == 0o600
    assert secrets_of(file, 999 + SECONDS_TO_REUSE) == first
    assert secrets_of(session_file(tmp_path / "other"), 1000) != first
    second = secrets_of(file, 1000 + SECONDS_TO_REUSE)
    assert second != first
    # What others could read is no secret.
    file.chmod(0o644)
    assert secrets_of(file, 1000 + SECONDS_TO_REUSE) != second
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cookie": 1}'])
def test_a_damaged_file_is_replaced(file, text):
    first = secrets_of(file, 1000)
    file.write_text(text)
    second = secrets_of(file, 1000)
    assert second != first
    assert secrets_of(file, 1000) == second


def test_without_a_cache_the_desk_has_its_own_secrets(file):
    file.parent.parent.mkdir(parents=True)
    file.parent.write_text("not a folder")
    with closing(Session(file)) as session:
        assert session.redeem(token(session.serve(ADDRESS)))


def test_a_link_is_valid_once(file):
    with closing(Session(file)) as session:
        first = token(session.serve(ADDRESS))
        assert not session.redeem("")
        assert not session.redeem(first[:-1])
        assert session.redeem(first)
        assert not session.redeem(first)


def test_a_second_command_leaves_a_link_that_is_valid_once(file):
    with closing(Session(file)) as desk:
        first = token(desk.serve(ADDRESS))
        with closing(Session(file)) as other:
            assert other.address == ADDRESS
            earlier, link = token(other.leave_link()), token(other.leave_link())
        left = file.with_suffix(".token")
        assert left.stat().st_mode & 0o777 == 0o600
        assert not desk.redeem(earlier)
        assert desk.redeem(link)
        assert not desk.redeem(link)
        assert desk.redeem(first)
        assert not left.exists()


def test_a_link_ends_with_its_desk(file):
    with closing(Session(file)) as desk:
        first = token(desk.serve(ADDRESS))
        with closing(Session(file)) as other:
            link = token(other.leave_link())
    with closing(Session(file)) as desk:
        desk.serve(ADDRESS)
        assert not desk.redeem(first)
        assert not desk.redeem(link)


def test_a_desk_that_has_no_address_yet_is_not_found(file):
    """It may still be building the lessons; the address in the file is the one before."""
    secrets_of(file)
    with closing(Session(file)), closing(Session(file)) as other:
        assert other.address == ""
