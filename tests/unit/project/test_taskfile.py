"""The Taskfile and the Makefile have the same commands, and the Taskfile has every service."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml
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
