"""The Taskfile and the Makefile know the same words, and the Taskfile the services there are."""

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
def test_a_task_takes_every_service_and_no_other(task):
    (service,) = TASKS[task]["requires"]["vars"]
    assert set(service["enum"]) == set(FOLDERS) == set(OPTIONS)


def test_every_folder_of_a_service_is_there():
    folders = {shlex.split(words)[-1] for words in FOLDERS.values()}
    assert folders == {image.folder for image in IMAGES}


def test_a_service_is_published_on_this_machine_alone():
    for words in OPTIONS.values():
        published = re.findall(r"--publish (\S+)", words)
        assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in published)
        assert not any(port.startswith("127.0.0.1:5000:") for port in published)


def test_every_word_of_the_makefile_is_a_task():
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    words = re.search(r"^WORDS := (.*)$", text, re.MULTILINE)
    assert words
    assert set(words[1].split()) <= set(TASKS)


def test_every_task_says_what_it_does():
    assert [name for name, task in TASKS.items() if "desc" not in task] == ["default"]


@pytest.mark.parametrize(
    "image", [i for i in IMAGES if i.service.startswith("task-")], ids=lambda i: i.service
)
def test_a_fastapi_task_is_built_under_its_name(image):
    command = TASKS[f"buildTask{image.service.removeprefix('task-')}"]["cmd"]
    file = f"{image.folder}/{image.dockerfile}"
    assert command == f"docker build --tag {image.name} --file {file} {image.folder}"
