"""The doctor finds what is really wrong with an engine, and its repair makes it right."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes import programs, subject
from harness import ROOT, container, free_ports, run
from own_engine import OwnEngine, is_possible

from workshop.engine import Engine
from workshop.machine.doctor import platforms, ports, storage
from workshop.machine.doctor import programs as program_checks
from workshop.machine.doctor.finding import State
from workshop.stack import settings
from workshop.stack.images import WEB

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

BASE = "python:3.13-slim-trixie"
PLUGIN = """
case "$1" in
*metadata) echo '{"SchemaVersion": "0.1.0", "Vendor": "x", "Version": "v2.10.0"}' ;;
*) echo "Docker Compose version v2.10.0" ;;
esac
"""


def examine(**env: str) -> dict[str, dict]:
    """Return what `workshop doctor` finds in this checkout, by the thing."""
    argv = (sys.executable, "-m", "workshop", "doctor", "--offline", "--json")
    # Not as fakes do: the docker command of this machine, and its engine.
    output = run(*argv, cwd=ROOT, env={"PYTHONPATH": str(ROOT), **env}, check=False).stdout
    return {row["thing"]: row for row in json.loads(output)["findings"]}


def test_a_dead_socket_is_a_problem(engine, tmp_path):  # noqa: ARG001 - it answers elsewhere
    found = examine(DOCKER_HOST=f"unix://{tmp_path}/none.sock")["Docker engine"]
    assert found["state"] == "problem"
    assert "none.sock" in found["found"]
    assert "unset DOCKER_HOST" in found["fix"]


def test_an_old_plugin_of_the_docker_command_is_a_problem(engine, tmp_path):  # noqa: ARG001
    programs(tmp_path / "cli-plugins", docker_compose=PLUGIN)
    found = examine(DOCKER_CONFIG=str(tmp_path))
    assert found["docker compose"]["state"] == "problem"
    assert found["docker compose"]["found"].startswith("2.10.0 lacks docker compose run --build")
    assert "todo-app/debugging" in found["docker compose"]["found"]
    assert found["docker buildx"]["state"] == "ok"


def test_another_platform_is_a_problem(engine):
    name = {"x86_64": "linux/arm64", "aarch64": "linux/amd64"}[engine.info().architecture]
    found = examine(DOCKER_DEFAULT_PLATFORM=name)["architecture"]
    assert (found["state"], name in found["found"]) == ("problem", True)


def test_a_container_that_holds_a_port_is_named_and_the_repair_takes_another(engine, tmp_path):
    web, (port,) = WEB[0], free_ports(1)
    file = tmp_path / ".env"
    file.write_text(f"COMPOSE_PROJECT_NAME=workshop-none\n{web.variable}={port}\n", "utf-8")
    options = (f"--publish=127.0.0.1:{port}:80",)
    with container(BASE, *options, command=("sleep", "infinity")) as running:
        (found,) = ports.check_service_ports(subject(engine, tmp_path))
        expected = f"{port} ({web.service}): the container {running.id} uses it"
        assert (found.state, found.found) == (State.PROBLEM, expected)
        found.repair.run()
        (found,) = ports.check_service_ports(subject(engine, tmp_path))
        assert found.state is State.OK
    assert settings.read_ports(tmp_path)[web] != port


@pytest.fixture(scope="module")
def own(engine) -> Iterator[OwnEngine]:  # noqa: ARG001 - the network of another
    if not is_possible():
        pytest.skip("a second engine needs root and dockerd on this machine")
    # The path of a socket has at most 104 characters, and containerd adds to it.
    short = tempfile.TemporaryDirectory(prefix="own-", dir="/var/tmp")
    with short as top, OwnEngine(Path(top, "engine")) as found:
        yield found


@pytest.fixture
def on_own(own, tmp_path, monkeypatch):
    """What the doctor examines, on the test's own engine."""
    monkeypatch.setenv("DOCKER_HOST", own.host)
    return subject(Engine(), tmp_path)


def test_an_engine_without_images_lacks_every_base_image(on_own):
    (found,) = storage.check_base_images(on_own)
    assert found.state is State.PROBLEM
    assert BASE in found.found


def test_a_base_image_of_another_architecture_is_a_problem(own, on_own, tmp_path):
    other = {"x86_64": "arm64", "aarch64": "amd64"}[on_own.info.architecture]
    archive = tmp_path / "empty"
    archive.mkdir()
    (archive / "file").write_text("x", encoding="ascii")
    shutil.make_archive(str(tmp_path / "root"), "tar", archive)
    own.docker("import", "--platform", f"linux/{other}", str(tmp_path / "root.tar"), BASE)
    (found,) = platforms.check_architecture(on_own)
    assert (found.state, BASE in found.found) == (State.PROBLEM, True)
    own.docker("image", "rm", BASE)
    (found,) = platforms.check_architecture(on_own)
    assert found.state is State.OK


def test_an_engine_that_has_ended_does_not_answer(own, on_own):
    (found,) = program_checks.check_engine(on_own)
    assert found.state is State.OK
    own.kill()
    (found,) = program_checks.check_engine(subject(Engine(), on_own.root))
    assert (found.state, found.found) == (State.WARNING, "none answers yet")
    own.start()


def test_a_full_disk_under_an_engine_is_a_problem(tmp_path, engine):  # noqa: ARG001
    """The engine has its files on a disk of 64 MB, which the test fills."""
    if not is_possible():
        pytest.skip("a second engine needs root and dockerd on this machine")
    with tempfile.TemporaryDirectory(prefix="own-", dir="/var/tmp") as top:
        disk = Path(top, "engine")
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", disk], check=True)
        try:
            with OwnEngine(disk) as own:
                with (disk / "fill").open("wb") as file:
                    file.write(bytes(50_000_000))
                found = examine(DOCKER_HOST=own.host)["disk"]
        finally:
            subprocess.run(["umount", "--lazy", disk], check=True)
    assert found["state"] == "problem"
    assert "0.0 GB free" in found["found"]
    assert found["wanted"] == "5 GB free"
