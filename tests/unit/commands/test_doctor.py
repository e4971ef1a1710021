"""The command `doctor` on a machine with a fault: its lines, its questions and its document.

Each test breaks the checkout, and runs the command in a terminal or without one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys

import pexpect
import pytest
from fakes import programs
from harness import ROOT, Kit

from workshop.commands import doctor
from workshop.machine.doctor.finding import Finding, Repair, State, ok

SCRIPT = "services/web/start.sh"
# An engine that is as it should be.
READY = """
case "$*" in
info*) echo '{"ServerVersion": "99.0", "DockerRootDir": "/no/such/folder", "Labels": null,' \\
    '"Architecture": "x86_64"}' ;;
*version) echo v99.0 ;;
*.Architecture*) echo amd64 ;;
"image inspect"*.Id*) echo sha256:1 ;;
esac
"""


@pytest.fixture
def kit(tmp_path) -> Kit:
    """A checkout with a script that has Windows line endings, on a machine that is ready."""
    folder = tmp_path / "checkout"
    shutil.copytree(ROOT / "workshop", folder / "workshop")
    shutil.copy(ROOT / "versions.toml", folder)
    script = folder / SCRIPT
    script.parent.mkdir(parents=True)
    script.write_bytes(b"#!/bin/sh\r\necho ready\r\n")
    kept = ("HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
    env = {name: os.environ[name] for name in kept if name in os.environ}
    env |= {"PATH": programs(tmp_path / "bin", docker=READY), "PYTHONDONTWRITEBYTECODE": "1"}
    return Kit(folder, env)


def content(kit: Kit) -> bytes:
    return (kit.folder / SCRIPT).read_bytes()


def test_a_problem_is_printed_with_its_fix_within_80_columns(kit):
    before = content(kit)
    code, out, err = kit.run("doctor", "--offline")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    # A path is not broken, so that it can be copied.
    assert [line for line in lines if len(line) > 80 and len(line.split()) > 1] == []
    first = lines.index(f"PROBLEM  line endings: CRLF, of Windows, in {SCRIPT}")
    assert lines[first + 1 : first + 3] == [
        "         wanted: LF",
        "         fix: Set your editor to LF, and save the files again",
    ]
    # A program on this machine may use a port of a lesson, which is a warning.
    last = r"1 problem( and 1 warning)?\. workshop doctor --fix can fix 1 of them: it asks first\."
    assert re.fullmatch(last, lines[-1])
    assert content(kit) == before


def test_yes_fixes_without_a_question_and_examines_the_machine_again(kit):
    code, out, err = kit.run("doctor", "--offline", "--fix", "--yes")
    assert (code, err) == (0, "")
    before, after = out.split("\nAfter that:\n")
    assert "PROBLEM  line endings" in before
    assert "ok       line endings" in after
    assert content(kit) == b"#!/bin/sh\necho ready\n"


def test_without_a_terminal_and_without_yes_nothing_is_fixed(kit):
    before = content(kit)
    code, out, err = kit.run("doctor", "--offline", "--fix")
    assert (code, err) == (1, "")
    assert "line endings: not fixed, because there is no terminal to ask in: add --yes" in out
    assert content(kit) == before


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1), ("", 1)])
def test_in_a_terminal_each_fix_is_asked_for(answer, code, kit):
    argv = ["-m", "workshop", "doctor", "--offline", "--fix"]
    child = pexpect.spawn(
        sys.executable, argv, cwd=str(kit.folder), env=dict(kit.env), encoding="utf-8", timeout=30
    )
    child.expect_exact("Change the line endings of 1 file to LF? [y/N] ")
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == code
    assert (b"\r\n" in content(kit)) is bool(code)


def test_json_prints_one_document(kit):
    code, out, err = kit.run("doctor", "--offline", "--json")
    assert (code, err) == (1, "")
    found = json.loads(out)
    assert (found["schema"], found["state"]) == ("workshop/doctor/v1", "problem")
    (row,) = [row for row in found["findings"] if row["state"] == "problem"]
    assert row == {
        "thing": "line endings",
        "state": "problem",
        "found": f"CRLF, of Windows, in {SCRIPT}",
        "wanted": "LF",
        "fix": "Set your editor to LF, and save the files again",
        "repair": "Change the line endings of 1 file to LF",
    }
    assert found["repairs"] == []


def test_json_with_yes_lists_the_repairs(kit):
    code, out, _ = kit.run("doctor", "--offline", "--json", "--fix", "--yes")
    found = json.loads(out)
    assert code == 0
    assert "problem" not in {row["state"] for row in found["findings"]}
    assert found["repairs"] == [{"thing": "line endings", "error": None}]


def test_json_asks_no_question(kit):
    code, out, err = kit.run("doctor", "--json", "--fix")
    assert (code, out) == (2, "")
    assert err == (
        "workshop doctor: --fix asks, and --json prints no question. "
        "Add --yes, or leave out --json\n"
    )


def test_yes_needs_something_to_answer(kit):
    line = "workshop doctor: --yes answers the questions of --fix. Add --fix\n"
    assert kit.run("doctor", "--yes") == (2, "", line)


def test_a_fix_that_fails_is_reported(kit):
    (kit.folder / f"{SCRIPT}.part").mkdir()
    code, out, err = kit.run("doctor", "--offline", "--fix", "--yes")
    assert (code, err) == (1, "")
    assert f"line endings: not fixed: {SCRIPT}: File exists. Make it writable" in out
    assert "After that" not in out


def test_the_summary_counts_problems_and_warnings():
    repair = Repair("Fix it", lambda: None)
    bad = Finding("a", State.PROBLEM, "b", "c", "d", repair)
    warning = Finding("a", State.WARNING, "b", "c", "d")
    assert doctor.summary([ok("a", "b")], fixing=False) == "This computer is ready."
    assert doctor.summary([bad, bad, warning], fixing=True) == "2 problems and 1 warning."
