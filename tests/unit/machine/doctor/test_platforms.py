"""The doctor names what is special about a machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import INFO, docker, subject

from workshop.machine.doctor import platforms
from workshop.machine.doctor.finding import State


def info(**changes: object) -> str:
    return json.dumps({**json.loads(INFO), "Architecture": "x86_64", **changes})


def architecture(root, engine_info, images="amd64", **environ):
    engine, _ = docker({"docker image inspect": images}, info=engine_info)
    (found,) = platforms.check_architecture(subject(engine, root, environ=environ))
    return found


@pytest.mark.parametrize(("name", "found"), [("x86_64", "amd64"), ("aarch64", "arm64")])
def test_the_architecture_of_the_engine_is_right(name, found, tmp_path):
    finding = architecture(tmp_path, info(Architecture=name), found)
    assert (finding.state, finding.found) == (State.OK, f"linux/{found}")


def test_another_default_platform_is_a_problem(tmp_path):
    found = architecture(tmp_path, info(), DOCKER_DEFAULT_PLATFORM="linux/arm64")
    assert found.state is State.PROBLEM
    assert "linux/arm64" in found.found
    assert found.wanted == "linux/amd64"


def test_the_own_platform_may_be_the_default(tmp_path):
    found = architecture(tmp_path, info(), DOCKER_DEFAULT_PLATFORM="linux/amd64")
    assert found.state is State.OK


def test_base_images_of_another_architecture_are_a_problem(tmp_path):
    found = architecture(tmp_path, info(), "arm64")
    assert found.state is State.PROBLEM
    assert "debian:trixie-slim" in found.found
    assert "docker image rm debian:trixie-slim" in found.fix


def test_a_rare_architecture_is_a_warning(tmp_path):
    found = architecture(tmp_path, info(Architecture="riscv64"), "riscv64")
    assert (found.state, found.wanted) == (State.WARNING, "amd64 or arm64")


def test_windows_containers_are_a_problem(tmp_path):
    found = architecture(tmp_path, info(OSType="windows"))
    assert (found.state, found.wanted) == (State.PROBLEM, "Linux containers")


@pytest.mark.parametrize(
    ("changes", "state", "text"),
    [
        ({"MemoryLimit": True}, State.OK, "enforces"),
        ({"SecurityOptions": ["name=seccomp", "name=rootless"]}, State.WARNING, "rootless"),
        ({"MemoryLimit": False}, State.WARNING, "cannot limit the memory"),
    ],
)
def test_an_engine_without_limits_is_a_warning(changes, state, text, tmp_path):
    engine, _ = docker(info=info(**changes))
    (found,) = platforms.check_limits(subject(engine, tmp_path))
    assert found.state is state
    assert text in found.found


@pytest.mark.parametrize(
    ("kernel", "folder", "state"),
    [
        ("4.4.0-19041-Microsoft", "/home/ada/kit", State.PROBLEM),
        ("5.15.167.4-microsoft-standard-WSL2", "/home/ada/kit", State.OK),
        ("5.15.167.4-microsoft-standard-WSL2", "/mnt/c/kit", State.WARNING),
        ("5.15.167.4-microsoft-standard-WSL2", "/mnt/class/kit", State.OK),
    ],
)
def test_the_version_of_wsl_and_the_drive_are_checked(kernel, folder, state):
    engine, _ = docker()
    (found,) = platforms.check_wsl(subject(engine, Path(folder), facts={"kernel": kernel}))
    assert found.state is state
    assert found.fix or state is State.OK


def test_a_machine_without_wsl_has_no_finding_about_it(tmp_path):
    engine, _ = docker()
    facts = {"kernel": "6.12.0-amd64"}
    assert list(platforms.check_wsl(subject(engine, tmp_path, facts=facts))) == []
