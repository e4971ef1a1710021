"""The doctor finds Windows line endings in a checkout, and changes them if it is asked to."""

from __future__ import annotations

import os

import pytest
from fakes import docker, subject

from workshop.core.errors import UserError
from workshop.machine.doctor import line_endings
from workshop.machine.doctor.finding import State


@pytest.fixture
def root(tmp_path):
    script = tmp_path / "services/web/start.sh"
    script.parent.mkdir(parents=True)
    script.write_bytes(b"#!/bin/sh\necho ready\n")
    script.chmod(0o755)
    (tmp_path / "services/web/.env").write_bytes(b"A=1\n")
    (tmp_path / "services/web/run.bat").write_bytes(b"@echo off\r\n")
    (tmp_path / "services/web/logo.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (tmp_path / "exercises/task-1").mkdir(parents=True)
    (tmp_path / "exercises/task-1/Dockerfile").write_bytes(b"FROM scratch\n")
    (tmp_path / "docker-compose.yml").write_bytes(b"services: {}\n")
    return tmp_path


def check(root):
    engine, _ = docker()
    (found,) = line_endings.check_line_endings(subject(engine, root))
    return found


def test_a_checkout_with_lf_is_ok(root):
    assert check(root).state is State.OK


@pytest.mark.parametrize(
    "path",
    [
        "services/web/start.sh",
        "services/web/.env",
        "exercises/task-1/Dockerfile",
        "docker-compose.yml",
    ],
)
def test_windows_line_endings_are_a_problem_and_the_repair_changes_them(path, root):
    file = root / path
    before, mode = file.read_bytes(), file.stat().st_mode
    file.write_bytes(before.replace(b"\n", b"\r\n"))
    found = check(root)
    assert found.state is State.PROBLEM
    assert path in found.found
    assert found.repair.action == "Change the line endings of 1 file to LF"
    found.repair.run()
    assert check(root).state is State.OK
    assert (file.read_bytes(), file.stat().st_mode) == (before, mode)
    assert list(root.rglob("*.part")) == []


def test_a_file_that_cannot_be_replaced_is_an_error(root):
    file = root / "services/web/start.sh"
    file.write_bytes(b"#!/bin/sh\r\n")
    found = check(root)
    (root / "services/web/start.sh.part").mkdir()
    with pytest.raises(UserError, match=r"start\.sh: File exists"):
        found.repair.run()
    assert file.read_bytes() == b"#!/bin/sh\r\n"


def test_a_link_is_not_followed(root, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "notes"
    outside.write_bytes(b"a\r\n")
    (root / "services/web/notes").symlink_to(outside)
    assert check(root).state is State.OK


def test_a_fifo_does_not_stop_the_doctor(root):
    os.mkfifo(root / "services/web/pipe")
    assert check(root).state is State.OK
