"""On a fresh Debian with systemd and cgroup v2, engines run, and enforce what the kit relies on.

Each test tries what the kit asks of an engine, without the kit: an emulated machine is too slow to
build every service.
"""

from __future__ import annotations

import json

import pytest
from platforms.record import Record

IMAGE = "python:3.13-slim-trixie"
HUNGRY = "bytearray(200_000_000)"
FORKS = "import os; [os.fork() or os._exit(os.pause() or 0) for _ in range(64)]"
DOCKERFILE = f"FROM {IMAGE}\nRUN python3 -c '{HUNGRY}'\n"
# What the kit gives a container of a class.
LIMITS = (
    "--network none --cap-drop ALL --read-only --security-opt no-new-privileges "
    "--memory 100m --memory-swap 100m --pids-limit 16 --cpus 1"
)
KILLED = "137"


def describe(info: dict) -> str:
    """Return the engine's version, and how it limits containers."""
    rootless = "rootless, " if any("rootless" in o for o in info["SecurityOptions"]) else ""
    return (
        f"Docker {info['ServerVersion']}, {rootless}cgroup v{info['CgroupVersion']} with "
        f"{info['CgroupDriver']}, {info['Driver']}, Linux {info['KernelVersion']}"
    )


class Engine:
    """An engine in a virtual machine, as a user there reaches it."""

    def __init__(self, machine, record: Record, user: str = "root", host: str = "") -> None:
        self._machine, self._record, self._user = machine, record, user
        self._before = f"export DOCKER_HOST={host}; " if host else ""

    def run(self, script: str, *, check: bool = True) -> str:
        return self._machine.run(self._before + script, user=self._user, check=check)

    def info(self) -> dict:
        return json.loads(self.run("docker info --format '{{json .}}'"))

    def containers(self) -> None:
        """Try a container with every limit of a class."""
        with self._record.row("`docker run` with the limits of a class") as row:
            output = self.run(f"docker run --rm {LIMITS} {IMAGE} python3 --version")
            assert output.startswith("Python 3.13")
            row.found = output
        with self._record.row("the memory of a container is limited") as row:
            code = self.run(f"docker run --rm {LIMITS} {IMAGE} python3 -c '{HUNGRY}'; echo $?")
            row.found = f"exit code {code.split()[-1]}"
            assert code.split()[-1] == KILLED, row.found
        with self._record.row("the processes of a container are limited") as row:
            output = self.run(
                f'docker run --rm {LIMITS} {IMAGE} python3 -c "{FORKS}" 2>&1', check=False
            )
            assert "BlockingIOError" in output, f"64 processes could start: {output[-80:]}"
            row.found = "BlockingIOError: [Errno 11] Resource temporarily unavailable"

    def build(self) -> None:
        with self._record.row("`docker build` with BuildKit") as row:
            file = "FROM python:3.13-slim-trixie\\nRUN --mount=type=cache,target=/x true\\n"
            output = self.run(f"printf '{file}' | docker build --progress plain -t built - 2>&1")
            assert "--mount=type=cache" in output
            row.found = self.run("docker image inspect built --format '{{.Os}}/{{.Architecture}}'")

    def limited_build(self) -> None:
        """Try the control group that the kit gives to the builds of a class."""
        group = "/sys/fs/cgroup/workshop-build-0"
        with self._record.row("the memory of a build is limited by `--cgroup-parent`") as row:
            self.run(f"mkdir -p {group} && echo 100M > {group}/memory.max")
            output = self.run(
                f"printf '%s\\n' {DOCKERFILE.splitlines()[0]!r} {DOCKERFILE.splitlines()[1]!r} | "
                "docker build --no-cache --cgroup-parent /workshop-build-0 - 2>&1",
                check=False,
            )
            assert f"exit code: {KILLED}" in output, f"the build used 200 MB: {output[-100:]}"
            row.found = f"the step ends with exit code {KILLED}"

    def published_port(self) -> None:
        with self._record.row("a published port answers") as row:
            self.run(
                f"docker run --detach --name web --publish 127.0.0.1:8000:8000 {IMAGE} "
                "python3 -m http.server 8000 --bind 0.0.0.0"
            )
            ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000').status)"
            try:
                output = self.run(
                    f'for _ in $(seq 60); do python3 -c "{ask}" 2>/dev/null && exit; sleep 1; '
                    "done; exit 1"
                )
            finally:
                self.run("docker rm --force web", check=False)
            assert output.strip() == "200"
            row.found = "HTTP 200"


@pytest.fixture(scope="module")
def machine(trixie):
    """A fresh Debian 13, whose engine has a base image."""
    record = Record("Debian 13 with systemd and cgroup v2")
    with record.row("systemd has started everything") as row:
        state = trixie.run("systemctl is-system-running --wait", check=False).strip()
        controllers = trixie.run("cat /sys/fs/cgroup/cgroup.controllers").split()
        assert state == "running"
        assert {"cpu", "memory", "pids"} <= set(controllers)
        row.found = f"{state}; controllers of cgroup v2: {', '.join(controllers)}"
    trixie.run("systemctl start docker")
    trixie.load(IMAGE)
    return trixie


def test_the_engine_of_debian_13(machine):
    record = Record("Debian 13 with systemd and cgroup v2")
    engine = Engine(machine, record)
    with record.row("Docker, as the kit installs it") as row:
        info = engine.info()
        row.found = describe(info)
        assert (info["CgroupVersion"], info["CgroupDriver"]) == ("2", "systemd")
    engine.containers()
    engine.build()
    engine.limited_build()
    engine.published_port()


ROOTLESS = """
set -eu
export PATH=$PATH:/usr/sbin:/sbin:/usr/share/docker.io/contrib
cd ~ && dockerd-rootless-setuptool.sh install --force
"""


def test_rootless_docker(machine):
    record = Record("Rootless Docker, on Debian 13")
    engine = Engine(machine, record, "learner", "unix:///run/user/1000/docker.sock")
    with record.row("an ordinary user installs and starts it, from Debian's packages") as row:
        machine.run("loginctl enable-linger learner")
        machine.run(ROOTLESS, user="learner")
        machine.run(
            f"docker save {IMAGE} > /tmp/image.tar && chmod 644 /tmp/image.tar",
        )
        engine.run("docker load < /tmp/image.tar")
        info = engine.info()
        row.found = describe(info)
        assert "rootless" in row.found
    engine.containers()
    engine.build()
    engine.published_port()


def test_podman(machine):
    """Podman answers the docker command through Docker's API."""
    record = Record("Podman through Docker's API, on Debian 13")
    engine = Engine(machine, record, "root", "unix:///run/podman/podman.sock")
    with record.row("the docker command talks to it") as row:
        machine.run("systemctl start podman.socket")
        machine.run(f"docker save {IMAGE} > /tmp/image.tar")
        engine.run("docker load < /tmp/image.tar")
        row.found = "Podman " + engine.run(
            "docker version --format '{{(index .Server.Components 0).Version}}'"
        )
    engine.containers()
    engine.published_port()
    engine.build()
