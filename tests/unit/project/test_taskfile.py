"""The Taskfile and the Makefile have the same commands, and the Taskfile has every service."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from fakes import programs
from harness import ROOT

from workshop.stack.images import IMAGES

TASKFILE = yaml.safe_load((ROOT / "Taskfile.yaml").read_text(encoding="utf-8"))
TASKS, VARS = TASKFILE["tasks"], TASKFILE["vars"]
FOLDERS, OPTIONS = VARS["FOLDERS"]["map"], VARS["OPTIONS"]["map"]
SERVICE_TASKS = ["docker:build", "docker:run", "docker:upload"]


@pytest.mark.parametrize("task", SERVICE_TASKS)
def test_a_docker_task_accepts_exactly_the_services(task):
    (service,) = TASKS[task]["requires"]["vars"]
    assert set(service["enum"]) == set(FOLDERS) == set(OPTIONS)


def test_every_service_has_its_folder():
    folders = {shlex.split(arguments)[-1] for arguments in FOLDERS.values()}
    assert folders == {image.folder for image in IMAGES}


def test_a_service_is_published_only_on_the_loopback_interface():
    for options in OPTIONS.values():
        published = re.findall(r"--publish (\S+)", options)
        assert all(re.fullmatch(r"127\.0\.0\.1:PORT:\d+", port) for port in published)


def test_a_service_has_the_port_of_its_lesson():
    lessons = {image.web.lesson_port for image in IMAGES if image.web}
    assert set(VARS["PORTS"]["map"].values()) <= lessons
    assert set(VARS["PORTS"]["map"]) == {name for name in OPTIONS if OPTIONS[name]}


def test_every_command_of_the_makefile_is_a_task():
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    commands = re.search(r"^COMMANDS := (.*)$", text, re.MULTILINE)
    assert commands
    assert set(commands[1].split()) <= set(TASKS)


def test_every_task_has_a_description():
    assert [name for name, task in TASKS.items() if "desc" not in task] == ["default"]


@pytest.mark.parametrize(
    "image", [i for i in IMAGES if i.service.startswith("task-")], ids=lambda i: i.service
)
def test_a_fastapi_task_builds_its_image(image):
    command = TASKS[f"buildTask{image.service.removeprefix('task-')}"]["cmd"]
    file = f"{image.folder}/{image.dockerfile}"
    assert command == f"docker build --tag {image.name} --file {file} {image.folder}"


def test_every_task_that_runs_a_program_of_the_environment_sets_it_up_first():
    own = {"default", "help", "environment"}
    uses = [name for name, task in TASKS.items() if "{{.BIN}}" in str(task) and name not in own]
    assert uses
    assert [name for name in uses if TASKS[name].get("deps") != ["environment"]] == []


@pytest.fixture
def make(tmp_path):
    """Run make, or Task, in a checkout whose programs print their arguments."""
    for file in ("Makefile", "Taskfile.yaml"):
        shutil.copy(ROOT / file, tmp_path)
    show = 'printf "%s" "${0##*/}"; printf " <%s>" "$@"; echo'
    (tmp_path / ".venv").mkdir()
    programs(
        tmp_path / ".venv/bin",
        workshop=show,
        ruff=show,
        python='case "$1" in -IS) ;; *) echo python;; esac',
        **dict.fromkeys(("mypy", "lint_imports", "hadolint"), "true"),
    )
    (tmp_path / ".venv/bin/task").symlink_to(Path(sys.executable).parent / "task")
    (tmp_path / "requirements.txt").touch()
    (tmp_path / ".venv/.ready").touch()

    def run(*arguments: str, program: str = "make") -> tuple[int, str]:
        names = ("SUBMISSIONS", "TASK", "OUT", "MAKEFLAGS", "MAKELEVEL")
        env = {name: value for name, value in os.environ.items() if name not in names}
        env["MAKEFLAGS"] = "--no-print-directory"
        done = subprocess.run(
            [program, *arguments],
            cwd=tmp_path,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    return run


@pytest.mark.parametrize("command", ["grade", "test"])
def test_make_grades_a_folder_of_submissions(make, command):
    code, out = make(command, "SUBMISSIONS=my class", "TASK=task-4,task-5")
    graded = "workshop <grade> <my class> <--task> <task-4,task-5> <--out> <marks>\n"
    assert (code, out) == (0, graded)
    task = ".venv/bin/task"
    assert make(command, "SUBMISSIONS=my class", "TASK=task-4,task-5", program=task)[1] == graded
    _, out = make(command, "SUBMISSIONS=class", "TASK=all", "OUT=my marks")
    assert out == "workshop <grade> <class> <--task> <all> <--out> <my marks>\n"


def test_make_names_a_missing_argument(make):
    code, out = make("grade", "TASK=task-5")
    assert code
    assert "SUBMISSIONS" in out
    code, out = make("grade", "SUBMISSIONS=class")
    assert code
    assert "TASK is not set" in out
    assert "workshop <grade>" not in out


def test_without_submissions_make_test_tests_the_kit(make):
    code, out = make("test")
    assert "ruff <format>" in out
    assert "workshop <up> <--tests> <--no-start>" in out
    assert "grade" not in out
    assert code == 0
