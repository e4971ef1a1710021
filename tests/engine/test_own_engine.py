"""With the user's own engine, `workshop bases` pulls images and changes nothing else."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from harness import ROOT, container, docker, run, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

REGISTRY, BASE = "registry:2.8.3", "ubuntu:24.04"
PINS = """
[poetry]
version = "2.5.1"
[standin]
pip = "pip"
mirror-plugin = "poetry-plugin-pypi-mirror"
[[base]]
image = "ubuntu:24.04"
ends = 2029-05-31
recipe = "ubuntu"
suite = "trixie"
"""


@pytest.fixture(scope="module")
def own_engine(engine, tmp_path_factory) -> Iterator[str]:
    """An engine that the kit did not start; it pulls from a local registry.

    It runs in the registry's network namespace, because two engines in one conflict on docker0.
    """
    if os.geteuid() or not shutil.which("dockerd") or not engine.has(REGISTRY):
        pytest.skip("a second engine needs root and dockerd on this machine")
    folder = tmp_path_factory.mktemp("engine")
    with container(REGISTRY, "--publish=127.0.0.1::5000") as registry:
        registry.answers(5000, "/v2/")
        mirrored = f"{registry.address(5000).removeprefix('http://')}/library/{BASE}"
        docker("tag", BASE, mirrored)
        docker("push", mirrored)
        docker("image", "rm", mirrored)
        process = docker("inspect", "--format", "{{.State.Pid}}", registry.id)
        socket = f"unix://{folder}/engine.sock"
        argv = [
            *("nsenter", f"--net=/proc/{process}/ns/net"),
            *("dockerd", "--host", socket, "--bridge=none", "--iptables=false"),
            *("--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"),
            *("--pidfile", f"{folder}/pid", "--registry-mirror=http://127.0.0.1:5000"),
        ]
        with (folder / "log").open("w") as log, running(argv, log):
            info_argv = ("docker", "--host", socket, "info")
            until(lambda: run(*info_argv, check=False).returncode == 0, "the second engine")
            yield socket


@contextlib.contextmanager
def running(argv: list[str], log) -> Iterator[None]:
    """Run a program until the block ends."""
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)


@pytest.fixture
def kit(tmp_path) -> Path:
    """A copy of the tool with a single base image."""
    folder = tmp_path / "kit"
    shutil.copytree(ROOT / "workshop", folder / "workshop")
    (folder / "versions.toml").write_text(PINS)
    return folder


def workshop(kit: Path, socket: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    python = str(ROOT / ".venv/bin/python")
    env = {"DOCKER_HOST": socket, "COLUMNS": "200"}
    return run(python, "-m", "workshop", *arguments, cwd=kit, env=env, check=False)


def test_base_images_are_pulled_without_stand_ins(own_engine, kit):
    done = workshop(kit, own_engine, "bases")
    assert done.returncode == 0, done.stdout
    assert "mmdebstrap" not in done.stdout
    assert "installing" not in done.stdout
    assert BASE in docker("--host", own_engine, "images", "--format", "{{.Repository}}:{{.Tag}}")


def test_an_image_that_cannot_be_pulled_is_reported_with_the_fix(own_engine, kit):
    (kit / "versions.toml").write_text(PINS.replace(BASE, "ubuntu:26.04"))
    done = workshop(kit, own_engine, "bases")
    assert done.returncode == 2
    assert "ubuntu:26.04" in done.stdout
    assert "workshop bases --stand-ins" in done.stdout


def test_a_full_disk_is_reported_with_the_space_needed(own_engine, kit):
    """The engine's folder is on a separate, small disk."""
    small = docker("--host", own_engine, "info", "--format", "{{.DockerRootDir}}")
    run("mount", "-t", "tmpfs", "-o", "size=64m", "workshop-test", small)
    try:
        (kit / "versions.toml").write_text(PINS.replace(BASE, "ubuntu:26.04"))
        done = workshop(kit, own_engine, "bases")
        assert done.returncode == 2
        assert "0.1 GB free, 5 GB are needed" in done.stdout
    finally:
        run("umount", "--lazy", small)
