"""Every build works behind a proxy that intercepts TLS, and no image has a trace of it.

The proxy is mitmproxy. The engine and the commands run in a network without any other way out: they
know the proxy by HTTPS_PROXY, and its certificates by SSL_CERT_FILE.
"""

from __future__ import annotations

import csv
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness import ROOT, WORKSHOP, container, docker, free_ports, run, until
from own_engine import OwnEngine, is_possible
from pip._internal.models.index import PyPI
from rubric.examples import lay_out_answer

from workshop.core import proxies
from workshop.machine import build_runtime, engine_proxy
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

REGISTRY = "registry:2.8.3"
BASES = ("python:3.13-slim-trixie", "ubuntu:24.04")
PASSWORD = f"secret-{secrets.token_hex(8)}"
BLOCK = 1 << 20
# A step that fails without a proxy, and one that fails without the proxy's certificate.
CONNECT = "import socket; socket.create_connection(('192.0.2.254', 443), 5)"
ASK = f"from urllib.request import urlopen; urlopen('{PyPI.simple_url}/pip/', timeout=20)"


@dataclass(frozen=True)
class Interceptor:
    """A running mitmproxy; `folder` has its certificate and its log."""

    folder: Path
    url: str

    @property
    def certificate(self) -> str:
        return (self.folder / "mitmproxy-ca-cert.pem").read_text(encoding="ascii")

    @property
    def bundle(self) -> Path:
        """The certificates of this machine, with that of the proxy."""
        return self.folder / "bundle.pem"

    def hosts(self) -> set[str]:
        """Return the servers whose responses it has passed on."""
        log = (self.folder / "log").read_text(encoding="utf-8")
        return set(re.findall(r" (?:GET|HEAD) (https?://[^/\s]+)", log))


@pytest.fixture(scope="module")
def registry(engine) -> Iterator[str]:
    """A registry with base images, as Docker Hub has them."""
    if not engine.has(REGISTRY):
        pytest.skip(f"{REGISTRY} is missing: run workshop bases")
    with container(REGISTRY, "--publish=127.0.0.1::5000") as running:
        running.answers(5000, "/v2/")
        address = running.address(5000)
        for base in BASES:
            name = f"{address.removeprefix('http://')}/library/{base}"
            docker("tag", base, name)
            docker("push", name)
            docker("image", "rm", name)
        yield address


@pytest.fixture(scope="module")
def interceptor(registry, tmp_path_factory) -> Iterator[Interceptor]:
    """A mitmproxy with a password, which answers for Docker Hub with the test's registry."""
    if not is_possible() or proxies.read(os.environ):
        pytest.skip("a second engine needs root and dockerd on this machine, and no other proxy")
    folder = tmp_path_factory.mktemp("mitmproxy")
    programs = folder / "venv/bin"
    run(sys.executable, "-m", "venv", str(folder / "venv"))
    pins = str(Path(__file__).with_name("mitmproxy.txt"))
    run(str(programs / "pip"), "install", "--quiet", "--requirement", pins)
    gateway = docker(
        "network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", "bridge"
    )
    (port,) = free_ports(1)
    own = os.environ.get("SSL_CERT_FILE") or build_runtime.SYSTEM_BUNDLE
    settings = {
        "confdir": folder,
        "proxyauth": f"ada:{PASSWORD}",
        "ssl_verify_upstream_trusted_ca": own,
        "stream_large_bodies": "100k",
        "flow_detail": 1,
        # Docker Hub itself need not answer.
        "connection_strategy": "lazy",
        "upstream_cert": "false",
        "map_remote": f"|https://registry-1.docker.io/|{registry}/",
    }
    options = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    argv = [programs / "mitmdump", "--listen-host", gateway, "--listen-port", str(port), *options]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(argv, stdout=log, stderr=log) as proxy,
    ):
        try:
            found = Interceptor(folder, f"http://ada:{PASSWORD}@{gateway}:{port}")
            until(lambda: "listening" in (folder / "log").read_text(), "mitmproxy", 60)
            found.bundle.write_text(Path(own).read_text() + found.certificate)
            yield found
        finally:
            proxy.terminate()


@dataclass(frozen=True)
class Room:
    """An engine behind the proxy, and how to run commands there."""

    engine: OwnEngine
    proxy: Interceptor

    @property
    def setting(self) -> dict[str, str]:
        """All that a learner sets."""
        return {"HTTPS_PROXY": self.proxy.url, "SSL_CERT_FILE": str(self.proxy.bundle)}

    def run(self, *argv: str, check: bool = True, **env: str) -> str:
        """Run a command in the network without another way out; return its output."""
        env = {**self.engine.env, "PYTHONPATH": str(ROOT), **env}
        return run(*self.engine.inside, *argv, env=env, check=check, cwd=ROOT).stdout

    def workshop(self, *arguments: str, **env: str) -> str:
        return self.run(*WORKSHOP, *arguments, **self.setting, **env)


@pytest.fixture(scope="module")
def room(interceptor, tmp_path_factory) -> Iterator[Room]:
    # The path of a socket has at most 104 characters, and containerd adds to it.
    short = tempfile.TemporaryDirectory(prefix="own-", dir="/var/tmp")
    environ = {"HTTPS_PROXY": interceptor.url, "SSL_CERT_FILE": str(interceptor.bundle)}
    prepared = engine_proxy.prepare(environ, tmp_path_factory.mktemp("lib"))
    with short as top, OwnEngine(Path(top, "engine"), *prepared) as own:
        run(*own.inside, "ip", "route", "delete", "default")
        for base in BASES:
            own.docker("pull", base)
        yield Room(own, interceptor)


def test_base_images_are_pulled_through_the_proxy(room, registry):
    """The proxy answers for Docker Hub with the test's registry."""
    assert registry in room.proxy.hosts()
    assert room.engine.docker("images", "--quiet", BASES[0])


def test_there_is_no_other_way_out(room):
    direct = ["docker", "run", "--rm", BASES[0], "python3", "-c"]
    assert "unreachable" in room.run(*direct, CONNECT, check=False)
    assert "URLError" in room.run(*direct, ASK, check=False)


def test_without_its_certificate_nobody_trusts_the_proxy(room):
    option = ["--env", f"HTTPS_PROXY={room.proxy.url}"]
    output = room.run("docker", "run", "--rm", *option, BASES[0], "python3", "-c", ASK, check=False)
    assert "CERTIFICATE_VERIFY_FAILED" in output


def test_compose_builds_every_image_and_no_image_has_a_trace(room):
    """The images get packages from apt, pip and Poetry."""
    room.run("docker", "compose", "--file", "docker-compose.part-3.yml", "build")
    for name in ("baby-steps", "basic-python", "python-poetry"):
        assert find_traces(room, f"poetry-ws-part-3-{name}:latest") == []
    assert {PyPI.url.rstrip("/")} <= room.proxy.hosts()


def test_a_step_has_the_proxy_and_its_certificates_and_the_search_finds_them(room, tmp_path):
    """A Dockerfile may copy them, which is how this test knows that `find_traces` works."""
    text = f"FROM {BASES[0]}\nRUN env > /environment && cp $SSL_CERT_FILE /certificates\n"
    (tmp_path / "Dockerfile").write_text(text, encoding="ascii")
    room.run("docker", "build", "--tag", "traces", str(tmp_path))
    address = room.proxy.url.rpartition("@")[2]
    found = find_traces(room, "traces")
    assert {PASSWORD, address, "dev/workshop"} < {*found}
    assert len(found) == 4


def test_task_builds_an_image(room):
    task = str(Path(WORKSHOP[0]).with_name("task"))
    room.run(task, "docker:build", "SERVICE=degrees-api", "DOCKER_OWNER=ada")
    assert find_traces(room, "ghcr.io/ada/degrees-api:latest") == []


def test_an_answer_is_checked(room, tmp_path):
    lay_out_answer(course.task("basic-python"), tmp_path)
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    output = room.workshop("check", "basic-python", str(tmp_path), "--format", "json", **cache)
    verdict = json.loads(output)
    assert verdict["score"] == verdict["max_score"] > 0


def test_a_class_is_graded_in_its_own_networks(room, tmp_path):
    for learner in ("anna", "ben"):
        folder = tmp_path / "submissions" / learner
        folder.mkdir(parents=True)
        lay_out_answer(course.task("basic-python"), folder)
        with (folder / "Dockerfile").open("a", encoding="utf-8") as file:
            file.write(f"# {learner}\n")
    paths = ("grade", str(tmp_path / "submissions"), "--out", str(tmp_path / "marks"))
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    room.workshop(*paths, "--task", "basic-python", "--require-isolation", **cache)
    with (tmp_path / "marks/marks.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["learner"], row["percent"]) for row in rows] == [("anna", "100"), ("ben", "100")]


def test_the_doctor_finds_nothing_wrong_with_the_proxy(room):
    output = room.run(*WORKSHOP, "doctor", "--json", check=False, **room.setting)
    found = {row["thing"]: row for row in json.loads(output)["findings"]}
    things = ("proxy", "proxy of builds", "DNS", "certificates", "package index", "image registry")
    assert {found[thing]["state"] for thing in things} == {"ok"}
    assert PASSWORD not in output


def test_the_doctor_tells_that_a_certificate_is_missing(room):
    setting = {"HTTPS_PROXY": room.proxy.url}
    output = room.run(*WORKSHOP, "doctor", "--json", check=False, **setting)
    found = {row["thing"]: row for row in json.loads(output)["findings"]}
    assert found["certificates"]["state"] == "problem"
    assert "is not trusted" in found["certificates"]["found"]


def find_traces(room: Room, image: str) -> list[str]:
    """Return what an image knows of the proxy: in its layers, its configuration or its history."""
    encoded = room.proxy.certificate.splitlines()[3]
    address = room.proxy.url.rpartition("@")[2]
    traces = [encoded, PASSWORD, address, build_runtime.FOLDER.strip("/")]
    docker_command = room.engine.docker
    texts = (
        docker_command("image", "inspect", image),
        docker_command("history", "--no-trunc", image),
    )
    found = [trace for trace in traces if any(trace in text for text in texts)]
    wanted = {trace.encode(): trace for trace in [*traces, "etc/passwd"]}
    argv = ("docker", "--host", room.engine.host, "save", image)
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as saved:
        before = b""
        while block := saved.stdout.read(BLOCK):
            seen = [trace for trace in wanted if trace in before + block]
            found += [wanted.pop(trace) for trace in seen]
            before = block[-200:]
    assert saved.returncode == 0
    # Every image has this file: the search finds what is there.
    found.remove("etc/passwd")
    return found
