"""A learner's machine without a route out does the course from a pack, from clone to full marks."""

from __future__ import annotations

import html
import json
import os
import re
from typing import TYPE_CHECKING

import pytest
from harness import ROOT, run
from made_up_room import Classroom, classroom, is_possible
from simulated_machines import NETWORK, Learner, Switch, are_possible

from workshop.tasks.course import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("engine")]

HERE = f"{NETWORK}.1"
PART_3 = ("baby-steps", "basic-python", "greeter", "compose-part-3")
DONE = (*PART_3, "degrees-api", "task-1", "task-2", "task-3-1", "task-3-2", "task-4", "task-5")


@pytest.fixture(scope="module")
def pack(tmp_path_factory, engine) -> Path:  # noqa: ARG001
    """The pack of this checkout; PACK names one that exists."""
    if existing := os.environ.get("PACK"):
        return ROOT / existing
    made = tmp_path_factory.mktemp("pack") / "pack.tar"
    services = ("baby-steps", "basic-python", "python-poetry", "degrees_api", "fastapi")
    options = [option for name in services for option in ("--service", name)]
    run(
        str(ROOT / ".venv/bin/python"),
        "-m",
        "workshop",
        "pack",
        "--out",
        str(made),
        *options,
        cwd=ROOT,
        timeout=1800,
    )
    return made


@pytest.fixture(scope="module")
def room(pack, tmp_path_factory) -> Iterator[tuple[Switch, Classroom]]:
    if not (are_possible() and is_possible()):
        pytest.skip("this user cannot create namespaces, or a server is missing")
    folder = tmp_path_factory.mktemp("teacher")
    with (
        Switch(folder, HERE) as switch,
        classroom(pack, folder / "room", host=HERE, inside=switch.inside, seconds=300) as running,
    ):
        yield switch, running


@pytest.fixture(scope="module")
def learner(room, tmp_path_factory) -> Iterator[Learner]:
    """A machine with an engine that has no image, in the network of the classroom."""
    with Learner(tmp_path_factory.mktemp("l"), f"{NETWORK}.2") as machine:
        room[0].connect(machine)
        machine.start_engine()
        yield machine


@pytest.fixture(scope="module")
def before_joining(room, learner) -> str:
    """What Docker says about the classroom's registry before the learner joins."""
    image = f"{room[1].url[8:]}/amd64/python:3.13-slim-trixie"
    return learner.docker("pull", image, check=False)


def test_docker_refuses_the_classroom_without_its_certificate(before_joining):
    assert "x509: certificate signed by unknown authority" in before_joining


@pytest.fixture(scope="module")
def course(room, learner, before_joining) -> Path:  # noqa: ARG001 - comes first
    """The folder of the course, after the learner has pasted the two lines of the page."""
    page = learner.run("curl", "-sk", f"{room[1].url}/")
    block = re.search(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL)
    assert block
    script = "cd ~ && set -e\n" + html.unescape(block[1])
    output = learner.run("bash", "-c", script)
    assert "join.py: OK" in output
    return learner.folder / "home/workshop"


def test_the_course_is_complete(course):
    assert (course / ".venv/.ready").exists()
    for file in TASKS.values():
        assert (course / file).read_bytes() == (ROOT / file).read_bytes()


def test_no_route_leads_out(learner):
    assert "default" not in learner.run("ip", "route")


@pytest.mark.parametrize("task", DONE)
def test_the_reference_solution_gets_full_marks(task, learner, course):
    folder = str((course / TASKS[task]).parent)
    check = (str(course / ".venv/bin/workshop"), "check", task, folder, "--format", "json")
    output = learner.run(*check, check=False, cwd=course)
    verdict = json.loads(output[output.index("{") :])
    assert verdict["score"] == verdict["max_score"] > 0, output


@pytest.mark.usefixtures("course")
def test_a_learner_pushes_an_image_to_the_own_name_and_to_no_other(room, learner):
    push = room[1].push.removeprefix("https://")
    learner.docker("login", "--username", "learner-1", "--password", room[1].password, push)
    image = learner.docker("image", "ls", "--quiet", "python:3.13-slim-trixie")
    for owner in ("learner-1", "learner-2"):
        learner.docker("tag", image, f"{push}/{owner}/mine:1")
    assert "digest: sha256:" in learner.docker("push", f"{push}/learner-1/mine:1")
    refused = learner.docker("push", f"{push}/learner-2/mine:1", check=False)
    assert f"denied: learner-1 may push to {push}/learner-1/IMAGE only" in refused


def test_leaving_restores_the_base_images_and_the_trust(learner, course):
    learner.run(str(course / ".venv/bin/workshop"), "join", "--leave", cwd=course)
    settings = learner.docker("image", "inspect", "python:3.13-slim-trixie")
    assert HERE not in settings
    assert not [*(learner.folder / "etc-docker/certs.d").iterdir()]
    assert not (course / ".classroom").exists()
