"""The doctor tells which server does not answer, and why."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from fakes import INFO, NO_IMAGE, docker, subject
from harness import ROOT, free_ports

from workshop.machine import network
from workshop.machine.doctor import internet
from workshop.machine.doctor.finding import State
from workshop.stack import versions

from .web import server

PINS = versions.read(ROOT / "versions.toml")
ALL_THERE = {"docker image inspect": "sha256:1"}
ALL_MISSING = {"docker image inspect": NO_IMAGE}
NEEDED = sum(base.recipe != "debian" for base in PINS.base)
API = {"Docker-Distribution-Api-Version": "registry/2.0"}
MANIFEST = "/v2/ratelimitpreview/test/manifests/latest"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="BASE/token",service="x"', **API}
TOKEN = {"/v2/": (401, CHALLENGE, ""), "/token": (200, {}, '{"token": "t"}')}


@pytest.fixture(autouse=True)
def _direct(monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)


def machine(root, index="http://localhost", answers=None, **options):
    """Return a machine whose package index is at this URL."""
    pip = {"python3": f"{index}/simple\n"}
    engine, script = docker({**pip, **(answers or ALL_THERE)}, info=options.pop("info", INFO))
    return subject(engine, root, online=True, run=script, **options)


# ---------------------------------------------------------------- the package index
def check_index(root, index):
    (found,) = internet.check_index(machine(root, index))
    return found


def test_an_index_that_answers_is_ok(tmp_path):
    with server({"/simple/pip/": (200, {}, "")}) as base:
        assert check_index(tmp_path, base).state is State.OK


def test_an_index_that_fails_is_a_problem(tmp_path):
    with server({"/simple/pip/": (503, {}, "")}) as base:
        found = check_index(tmp_path, base)
    assert (found.state, found.found) == (State.PROBLEM, f"{base}/simple: HTTP status 503")


def test_an_index_that_refuses_connections_is_a_problem(tmp_path):
    (port,) = free_ports(1)
    found = check_index(tmp_path, f"http://localhost:{port}")
    assert found.state is State.PROBLEM
    assert "Connection refused" in found.found


def test_a_proxy_that_asks_for_a_password_is_named(tmp_path, monkeypatch):
    with server({}) as base:
        monkeypatch.setenv("https_proxy", base)  # it answers 501 to CONNECT
        found = check_index(tmp_path, "https://index.example")
    assert found.state is State.PROBLEM
    assert found.found.startswith("the proxy refuses https://index.example/simple: Tunnel")
    assert "USER:PASSWORD" in found.fix


# ---------------------------------------------------------------- DNS
_LOOK_UP = """
import sys
sys.path[:0] = [{tests!r}, {root!r}]
from pathlib import Path
from fakes import docker, subject
from workshop.machine.doctor import internet
engine, script = docker({{"python3": "https://index.example/simple"}})
for finding in internet.check_names(subject(engine, Path("/"), online=True, run=script)):
    print(finding.state, finding.found, finding.fix, sep="\\n")
"""


def test_a_machine_without_a_name_server_is_a_problem(tmp_path):
    resolv = tmp_path / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.254\noptions timeout:1 attempts:1\n", encoding="ascii")
    script = tmp_path / "look_up.py"
    text = _LOOK_UP.format(tests=str(ROOT / "tests"), root=str(ROOT))
    script.write_text(text, encoding="utf-8")
    broken = f"mount --bind {resolv} /etc/resolv.conf && exec {sys.executable} {script}"
    argv = ["unshare", "--mount", "--net", "sh", "-c", broken]
    if os.geteuid() or not shutil.which("unshare"):
        pytest.skip("to break the name servers needs root")
    env = {**os.environ, "PIP_INDEX_URL": "https://index.example/simple"}
    done = subprocess.run(argv, check=True, capture_output=True, text=True, env=env)
    state, found, fix = done.stdout.splitlines()
    assert state == State.PROBLEM
    assert found.startswith("index.example: ")
    assert "resolv.conf" in fix


def test_behind_a_proxy_only_the_proxy_needs_an_address(tmp_path):
    here = machine(tmp_path, "https://no-such-host.invalid")
    environ = {"HTTPS_PROXY": "http://localhost:3128"}
    here = subject(here.engine, tmp_path, online=True, environ=environ)
    (found,) = internet.check_names(here)
    assert (found.state, found.found) == (State.OK, "localhost has an address")


# ---------------------------------------------------------------- the registry
def check_registry(root, registry, answers=ALL_MISSING, **facts):
    here = machine(root, answers=answers, registry=registry, facts=facts)
    (found,) = internet.check_registry(here)
    return found


def test_a_registry_without_a_limit_is_ok(tmp_path):
    with server({"/v2/": (200, API, "{}")}) as base:
        assert check_registry(tmp_path, base).state is State.OK


def test_the_mirror_of_an_engine_is_asked_instead_of_the_registry(tmp_path):
    (port,) = free_ports(1)
    with server({"/v2/": (200, API, "{}")}) as base:
        info = json.dumps({**json.loads(INFO), "RegistryConfig": {"Mirrors": [f"{base}/"]}})
        here = machine(tmp_path, registry=f"http://localhost:{port}", info=info)
        (found,) = internet.check_registry(here)
    assert found.state is State.OK


@pytest.mark.parametrize(
    ("left", "state"), [(NEEDED, State.OK), (NEEDED - 1, State.PROBLEM), (0, State.PROBLEM)]
)
def test_a_registry_must_allow_as_many_pulls_as_images_are_missing(left, state, tmp_path):
    limit = {MANIFEST: (200, {"ratelimit-remaining": f"{left};w=21600"}, "")}
    with server({**TOKEN, **limit}) as base:
        found = check_registry(tmp_path, base)
    assert found.state is state
    assert found.found.startswith(f"localhost allows {left} more pulls")
    assert "docker login" in found.fix or state is State.OK


def test_a_limit_that_is_used_up_is_a_problem(tmp_path):
    with server({**TOKEN, MANIFEST: (429, {}, "")}) as base:
        found = check_registry(tmp_path, base)
    assert found.state is State.PROBLEM
    assert "allows 0 more pulls" in found.found


def test_a_page_to_log_in_to_a_network_is_no_registry(tmp_path):
    with server({"/v2/": (200, {}, "<h1>Welcome to our Wi-Fi</h1>")}) as base:
        found = check_registry(tmp_path, base, release="ubuntu noble")
    assert found.state is State.PROBLEM
    assert "something else answers (HTTP status 200)" in found.found
    assert "log in" in found.fix


@pytest.mark.parametrize(
    ("answers", "facts", "state"),
    [
        (ALL_THERE, {"release": "ubuntu noble"}, State.OK),
        (ALL_MISSING, {"release": "ubuntu noble"}, State.PROBLEM),
        (ALL_MISSING, {}, State.WARNING),
    ],
)
def test_a_dead_registry_matters_if_no_stand_in_can_be_built(answers, facts, state, tmp_path):
    (port,) = free_ports(1)
    found = check_registry(tmp_path, f"http://localhost:{port}", answers, **facts)
    assert found.state is state
    assert "Connection refused" in found.found
    assert bool(found.repair) is (state is State.WARNING)


# ---------------------------------------------------------------- the clock
def clocks(here):
    return {finding.thing: finding for finding in internet.check_clock(here)}


@pytest.mark.parametrize(
    ("hours", "state", "text"),
    [
        (0, State.OK, "right"),
        (24, State.PROBLEM, "slow"),
        (-24, State.PROBLEM, "fast"),
        (0.05, State.WARNING, "slow"),
    ],
)
def test_the_clock_is_compared_with_a_servers(hours, state, text, tmp_path):
    time = datetime.now(UTC) + timedelta(hours=hours)
    page = {"/simple/pip/": (200, {"Date": format_datetime(time, usegmt=True)}, "")}
    with server(page) as base:
        found = clocks(machine(tmp_path, base))["clock"]
    assert found.state is state
    assert text in found.found


@pytest.mark.parametrize(("hours", "state"), [(0, State.OK), (-3, State.PROBLEM)])
def test_the_clock_of_the_engine_is_compared_with_this_machines(hours, state, tmp_path):
    time = (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
    info = json.dumps({**json.loads(INFO), "SystemTime": time.replace("+00:00", "789Z")})
    here = machine(tmp_path, info=info)
    found = clocks(subject(here.engine, tmp_path))["engine's clock"]
    assert found.state is state
    assert "wsl --shutdown" in found.fix or state is State.OK


def test_a_server_that_never_answers_is_given_up():
    with server({}) as base:
        stuck = network.within(0.05, lambda: network.ask(f"{base}/x", seconds=30), None)
    assert stuck is None or stuck.status == 404
