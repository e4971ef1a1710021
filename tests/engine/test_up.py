"""`workshop up` and `down` on a copy of the checkout, including failures."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest
from harness import ROOT, Proxy, docker, free_ports, get, until

from workshop.stack.images import IMAGES, WEB

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PYTHON = str(ROOT / ".venv/bin/python")


@pytest.fixture
def kit(built, checkout) -> Iterator[Path]:
    """A copy of the whole kit, with all images in the build cache."""
    for image in IMAGES:
        built(image.name)
    shutil.copytree(ROOT / "workshop", checkout / "workshop")
    shutil.copy(ROOT / "versions.toml", checkout)
    # Fixed ports: parallel tests would race for the next free one.
    ports = free_ports(len(WEB))
    own = [f"{web.variable}={port}" for web, port in zip(WEB, ports, strict=True)]
    project = f"COMPOSE_PROJECT_NAME=workshop-test-{secrets.token_hex(4)}"
    (checkout / ".env").write_text("\n".join([project, *own, ""]))
    yield checkout
    if (checkout / ".env").is_file():
        docker("compose", "--profile", "all", "down", "--volumes", cwd=checkout, check=False)


def start(kit: Path, *arguments: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (PYTHON, "-m", "workshop", *arguments),
        cwd=kit,
        env={**os.environ, "COLUMNS": "80", **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def workshop(kit: Path, *arguments: str, **env: str) -> tuple[int, str]:
    """Run `workshop ARGUMENTS` in a copy of the kit; return exit code and output."""
    process = start(kit, *arguments, **env)
    output, _ = process.communicate(timeout=600)
    return process.returncode, output


def left_behind(kit: Path) -> str:
    """Return the ids of the containers and networks of the kit's compose project."""
    project = re.search(r"COMPOSE_PROJECT_NAME=(.*)", (kit / ".env").read_text())
    assert project
    label = f"label=com.docker.compose.project={project[1]}"
    return docker("ps", "--all", "--quiet", "--filter", label) + docker(
        "network", "ls", "--quiet", "--filter", label
    )


@pytest.mark.slow
def test_up_down_and_a_busy_port(kit):
    """The first `up` also has a settings file with Windows line endings."""
    (kit / ".env").unlink()
    key = f"# mine\r\nSECRET_KEY={secrets.token_hex(32)}\r\n"
    (kit / "services/todo-app/.env").write_bytes(key.encode())

    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = str(busy.getsockname()[1])
        code, output = workshop(kit, "up", FASTAPI_PORT=port)
    assert code == 2
    assert f"port {port}, for fastapi: another program uses it" in output
    assert "FASTAPI_PORT" in output
    assert left_behind(kit) == ""

    code, output = workshop(kit, "up", FASTAPI_PORT=port)
    assert code == 0, output
    assert max(map(len, output.splitlines())) <= 80
    addresses = re.findall(r"http://localhost:\d+\S*", output)
    assert len(addresses) == len(WEB)
    for address in addresses:
        assert get(address).status_code == 200
    for image in IMAGES:
        assert image.name in output

    code, again = workshop(kit, "up", FASTAPI_PORT=port)
    assert code == 0, again
    assert re.findall(r"http://localhost:\d+\S*", again) == addresses

    assert workshop(kit, "down")[0] == 0
    assert left_behind(kit) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("SECRET_KEY = spaced\n", "services/todo-app/.env, line 1"),
        ("\nSECRET_KEY='quoted'\n", "services/todo-app/.env, line 2"),
        ("nonsense\n", "not have the form NAME=value"),
        ("SECRET_KEY=\n", "SECRET_KEY is empty"),
    ],
)
def test_malformed_settings_are_a_one_line_error(kit, settings, says):
    (kit / "services/todo-app/.env").write_text(settings)
    code, output = workshop(kit, "up")
    assert code == 2
    assert "Traceback" not in output
    assert says in output.splitlines()[-1]
    assert left_behind(kit) == ""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_cleans_up_and_the_next_one_succeeds(kit, number):
    process = start(kit, "up")
    assert process.stdout
    until(lambda: re.search(r"\d s$", process.stdout.readline().rstrip()), "a first image")
    process.send_signal(number)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 130
    assert "Interrupted" in output
    assert "Traceback" not in output
    assert left_behind(kit) == ""
    assert workshop(kit, "up", "--no-start")[0] == 0


@pytest.mark.slow
def test_an_interrupted_start_stops_everything(kit):
    process = start(kit, "up")
    until(lambda: (kit / ".env").is_file() and left_behind(kit), "a first container or network", 90)
    process.send_signal(signal.SIGINT)
    assert "Interrupted" in process.communicate(timeout=60)[0]
    assert process.returncode == 130
    assert left_behind(kit) == ""


@pytest.mark.slow
def test_an_engine_that_stops_during_up_is_a_one_line_error(kit):
    """The docker CLI loses its connection, and cannot open a new one."""
    lock = kit / "services/fastapi/poetry.lock"
    lock.write_text(lock.read_text() + f"# {secrets.token_hex(8)}\n")  # not cached
    proxy = Proxy(kit / "engine.sock")
    process = start(kit, "up", DOCKER_HOST=f"unix://{kit}/engine.sock")
    assert process.stdout
    until(lambda: re.search(r"\d s$", process.stdout.readline().rstrip()), "a first image")
    proxy.close()
    (kit / "engine.sock").unlink()
    output = process.communicate(timeout=120)[0]
    assert process.returncode == 2
    assert "the Docker engine stopped answering" in output.splitlines()[-1]
    assert "Traceback" not in output
