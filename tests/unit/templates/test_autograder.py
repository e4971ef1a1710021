"""The autograder for Classroom 50 writes the kit's result, or nothing, whatever a learner left."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from harness import ROOT, run

PROGRAM = ROOT / "templates/classroom50/autograder.py"
# A kit whose command records what it gets, and writes the marks of one learner.
MAKEFILE = """
.venv/.ready:
	mkdir -p .venv/bin && cp workshop.sh .venv/bin/workshop && touch $@
"""
COMMAND = """#!/bin/sh
echo "$@" > "$RECORD"
cd "$2" && find . ! -type d | sort >> "$RECORD"
mkdir -p "$6/classroom50/$4/anna" "$6/feedback"
echo graded > "$6/classroom50/$4/anna/result.json"
echo feedback > "$6/feedback/anna.md"
exit "${CODE:-0}"
"""


@pytest.fixture
def kit(tmp_path):
    folder = tmp_path / "kit"
    folder.mkdir()
    (folder / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    (folder / "workshop.sh").write_text(COMMAND, encoding="utf-8")
    (folder / "workshop.sh").chmod(0o755)
    git = ("git", "-C", str(folder), "-c", "user.name=T", "-c", "user.email=t@example.org")
    run("git", "init", "--quiet", str(folder))
    run(*git, "add", "--all")
    run(*git, "commit", "--quiet", "--message", "Kit")
    return f"file://{folder}", run(*git, "rev-parse", "HEAD").stdout.strip()


@pytest.fixture
def autograde(tmp_path, kit):
    """Run the autograder in a learner's checkout; return the exit code and the error output."""
    (address, commit), checkout = kit, tmp_path / "checkout"
    checkout.mkdir()
    text = PROGRAM.read_text(encoding="utf-8")
    text = text.replace("https://github.com/YOUR-ORGANISATION/workshop", address)
    program = tmp_path / "autograder.py"
    program.write_text(text.replace("KIT-COMMIT", commit), encoding="utf-8")

    def start(**env: str) -> tuple[int, str]:
        done = subprocess.run(
            (sys.executable, str(program)),
            cwd=checkout,
            env={
                "PATH": os.environ["PATH"],
                "TMPDIR": str(tmp_path),
                "RECORD": str(tmp_path / "record"),
                "ASSIGNMENT": "task-5",
                "OWNER": "anna",
                **env,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert not list(tmp_path.glob("workshop-*"))
        return done.returncode, done.stderr

    start.checkout, start.record = checkout, tmp_path / "record"
    return start


def test_it_writes_the_result_and_the_feedback_of_the_kit(autograde):
    (autograde.checkout / "Dockerfile-nonroot").touch()
    assert autograde() == (0, "")
    assert (autograde.checkout / "result.json").read_text(encoding="utf-8") == "graded\n"
    assert (autograde.checkout / "release-body.md").read_text(encoding="utf-8") == "feedback\n"
    arguments, *files = autograde.record.read_text(encoding="utf-8").splitlines()
    assert " --task task-5 --out " in arguments
    assert files == ["./anna/Dockerfile-nonroot"]


def test_the_history_of_the_learner_is_left_out_but_no_other_folder_of_that_name(autograde):
    for folder in (".git", "app/.git"):
        (autograde.checkout / folder).mkdir(parents=True)
        (autograde.checkout / folder / "config").touch()
    autograde()
    assert autograde.record.read_text(encoding="utf-8").splitlines()[1:] == [
        "./anna/app/.git/config"
    ]


@pytest.mark.parametrize("code", ["1", "2"])
def test_without_a_verdict_there_is_no_result_not_even_one_that_the_learner_committed(
    autograde, code
):
    (autograde.checkout / "result.json").write_text('{"score": 22}', encoding="utf-8")
    exit_code, error = autograde(CODE=code)
    assert exit_code == 2
    assert error.endswith(f"workshop: it ended with exit code {code}, so there is no mark\n")
    assert list(autograde.checkout.iterdir()) == []


@pytest.mark.parametrize("name", ["result.json", "release-body.md"])
def test_nothing_is_written_through_a_link_of_the_learner(autograde, tmp_path, name):
    outside = tmp_path / "outside"
    outside.write_text("as before", encoding="utf-8")
    (autograde.checkout / name).symlink_to(outside)
    assert autograde() == (0, "")
    assert outside.read_text(encoding="utf-8") == "as before"
    assert not (autograde.checkout / name).is_symlink()


def test_a_folder_in_the_place_of_the_result_is_removed(autograde):
    (autograde.checkout / "result.json/x").mkdir(parents=True)
    assert autograde() == (0, "")
    assert (autograde.checkout / "result.json").is_file()


def test_a_commit_of_the_kit_that_does_not_exist_is_no_mark(autograde, tmp_path):
    program = tmp_path / "autograder.py"
    text = program.read_text(encoding="utf-8").replace('COMMIT = "', 'COMMIT = "0')
    program.write_text(text, encoding="utf-8")
    code, error = autograde()
    assert code == 2
    assert error.endswith("git: it ended with exit code 128, so there is no mark\n")
