"""`workshop up` and `down` on a copy of the checkout, also when something goes wrong."""

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
    """A copy of the whole kit, all of whose images are in the build cache."""
    for image in IMAGES:
        built(image.name)
    shutil.copytree(ROOT / "workshop", checkout / "workshop")
    shutil.copy(ROOT / "versions.toml", checkout)
    # On ports of its own: tests that run side by side would race for the next free one.
    ports = free_ports(len(WEB))
    own = [f"{web.variable}={port}" for web, port in zip(WEB, ports, strict=True)]
    project = f"COMPOSE_PROJECT_NAME=workshop-test-{secrets.token_hex(4)}"
    (checkout / ".env").write_text("\n".join([project, *own, ""]))
    yield checkout
    if (checkout / ".env").is_file():
        docker("compose", "--profile", "all", "down", "--volumes", cwd=checkout, check=False)


def start(kit: Path, *words: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (PYTHON, "-m", "workshop", *words),
        cwd=kit,
        env={**os.environ, "COLUMNS": "80", **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def workshop(kit: Path, *words: str, **env: str) -> tuple[int, str]:
    """The exit code and the output of `workshop WORDS` in a copy of the kit."""
    child = start(kit, *words, **env)
    said, _ = child.communicate(timeout=600)
    return child.returncode, said


def left_behind(kit: Path) -> str:
    """The containers and networks of a copy's compose project."""
    project = re.search(r"COMPOSE_PROJECT_NAME=(.*)", (kit / ".env").read_text())
    assert project
    label = f"label=com.docker.compose.project={project[1]}"
    return docker("ps", "--all", "--quiet", "--filter", label) + docker(
        "network", "ls", "--quiet", "--filter", label
    )


def test_up_and_down_and_a_busy_port_between(kit):
    """The first time, also with settings that a Windows editor saved; then what comes of it."""
    (kit / ".env").unlink()
    key = f"# mine\r\nSECRET_KEY={secrets.token_hex(32)}\r\n"
    (kit / "services/todo-app/.env").write_bytes(key.encode())

    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = str(busy.getsockname()[1])
        code, said = workshop(kit, "up", FASTAPI_PORT=port)
    assert code == 2
    assert f"port {port}, for fastapi: another program uses it" in said
    assert "FASTAPI_PORT" in said
    assert left_behind(kit) == ""

    code, said = workshop(kit, "up", FASTAPI_PORT=port)
    assert code == 0, said
    assert max(map(len, said.splitlines())) <= 80
    addresses = re.findall(r"http://localhost:\d+\S*", said)
    assert len(addresses) == len(WEB)
    for address in addresses:
        assert get(address).status_code == 200
    for image in IMAGES:
        assert image.name in said

    code, again = workshop(kit, "up", FASTAPI_PORT=port)
    assert code == 0, again
    assert re.findall(r"http://localhost:\d+\S*", again) == addresses

    assert workshop(kit, "down")[0] == 0
    assert left_behind(kit) == ""


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("SECRET_KEY = spaced\n", "services/todo-app/.env, line 1"),
        ("\nSECRET_KEY='quoted'\n", "services/todo-app/.env, line 2"),
        ("nonsense\n", "not of the form NAME=value"),
        ("SECRET_KEY=\n", "SECRET_KEY is empty"),
    ],
)
def test_malformed_settings_are_told_in_one_line_and_leave_nothing_running(kit, settings, says):
    (kit / "services/todo-app/.env").write_text(settings)
    code, said = workshop(kit, "up")
    assert code == 2
    assert "Traceback" not in said
    assert says in said.splitlines()[-1]
    assert left_behind(kit) == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_nothing_and_the_next_one_succeeds(kit, number):
    child = start(kit, "up")
    assert child.stdout
    until(lambda: re.search(r"\d s$", child.stdout.readline().rstrip()), "a first image")
    child.send_signal(number)
    said = child.communicate(timeout=60)[0]
    assert child.returncode == 130
    assert "Interrupted" in said
    assert "Traceback" not in said
    assert left_behind(kit) == ""
    assert workshop(kit, "up", "--no-start")[0] == 0


def test_an_interrupted_start_leaves_nothing_running(kit):
    child = start(kit, "up")
    until(lambda: (kit / ".env").is_file() and left_behind(kit), "a first container or network", 90)
    child.send_signal(signal.SIGINT)
    assert "Interrupted" in child.communicate(timeout=60)[0]
    assert child.returncode == 130
    assert left_behind(kit) == ""


def test_an_engine_that_goes_away_half_way_is_told_in_one_line(kit):
    """As seen from the docker CLI: its connection ends, and no new one can be had."""
    lock = kit / "services/fastapi/poetry.lock"
    lock.write_text(lock.read_text() + f"# {secrets.token_hex(8)}\n")  # so that a build lasts
    proxy = Proxy(kit / "engine.sock")
    child = start(kit, "up", DOCKER_HOST=f"unix://{kit}/engine.sock")
    assert child.stdout
    until(lambda: re.search(r"\d s$", child.stdout.readline().rstrip()), "a first image")
    proxy.close()
    (kit / "engine.sock").unlink()
    said = child.communicate(timeout=120)[0]
    assert child.returncode == 2
    assert "the Docker engine stopped answering" in said.splitlines()[-1]
    assert "Traceback" not in said
