"""The doctor checks the disk under the engine, and the images on it."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from fakes import INFO, NO_IMAGE, docker, subject
from harness import ROOT

from workshop.machine.doctor import storage
from workshop.machine.doctor.finding import State
from workshop.stack.images import IMAGES
from workshop.stack.versions import read

ALL_THERE = {"inspect {{.Id}}": "sha256:1", "docker image inspect": ""}


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], check=False, capture_output=True
    )
    if os.geteuid() or mounted.returncode:
        pytest.skip("to mount a disk needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def check(function, engine, root):
    (found,) = function(subject(engine, root))
    return found


def test_a_full_disk_is_a_problem_and_the_first_time_needs_more_space(small_disk, tmp_path):
    (small_disk / "layer").write_bytes(bytes(1_000_000))
    info = json.dumps({**json.loads(INFO), "DockerRootDir": str(small_disk)})
    for answers, wanted in ((ALL_THERE, "1 GB free"), ({"image inspect": NO_IMAGE}, "5 GB free")):
        engine, _ = docker(answers, info=info)
        found = check(storage.check_disk, engine, tmp_path)
        assert (found.state, found.wanted) == (State.PROBLEM, wanted)
        assert "0.0 GB free" in found.found
        assert "docker system prune" in found.fix


def test_missing_base_images_are_listed_and_can_be_provided(tmp_path):
    expected = "python:3.13-slim-trixie"
    engine, _ = docker({f"docker image inspect {expected}": NO_IMAGE, **ALL_THERE})
    found = check(storage.check_base_images, engine, tmp_path)
    assert (found.state, found.found) == (State.PROBLEM, f"missing: {expected}")
    assert found.repair


def test_the_repair_pulls_what_is_missing(tmp_path):
    missing = read(ROOT / "versions.toml").base[2].image
    there = {f"docker image inspect {missing}": [NO_IMAGE, NO_IMAGE, "sha256:1"]}
    engine, script = docker({**there, **ALL_THERE, "docker pull": ""})
    found = check(storage.check_base_images, engine, tmp_path)
    found.repair.run()
    assert script.calls("docker pull") == [["docker", "pull", missing]]
    assert check(storage.check_base_images, engine, tmp_path).state is State.OK


def test_stand_ins_are_counted(tmp_path):
    stand_in = {"inspect python:3.11-bookworm": "python:3.11-bookworm"}
    engine, _ = docker({"inspect {{.Id}}": "sha256:1", **stand_in, **ALL_THERE})
    found = check(storage.check_base_images, engine, tmp_path)
    assert found.found == "all present, 1 of them stand-ins"


def test_images_that_are_not_built_need_no_fix(tmp_path):
    built = {f"docker image inspect {IMAGES[0].name}": NO_IMAGE}
    engine, _ = docker({**built, **ALL_THERE})
    found = check(storage.check_course_images, engine, tmp_path)
    assert (found.state, found.found) == (State.OK, f"{len(IMAGES) - 1} of {len(IMAGES)} built")
