"""On fresh systems with systemd and cgroup v2, the kit becomes ready, checks answers, and grades.

Each platform runs in its own virtual machine. What is known not to work is tried too, so that the
page says so from what was seen: such a test is expected to fail.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from platforms.record import Record

if TYPE_CHECKING:
    from platforms.virtual_machine import VirtualMachine

COURSE = "course"  # in the home folder
ANSWER = "services/fastapi"
# With an engine that the kit has not started, learners ask for stand-ins themselves.
STANDINS = ".venv/bin/workshop bases --stand-ins"
FULL_MARKS = "22 of 22 points"


class Learner:
    """A user of a virtual machine, with the course in the home folder, and maybe another engine."""

    def __init__(self, machine: VirtualMachine, user: str, host: str = "") -> None:
        self._machine, self._user = machine, user
        self._before = f"cd {COURSE} && " + (f"export DOCKER_HOST={host} && " if host else "")

    def copy_course(self) -> None:
        self._machine.copy_checkout(COURSE, self._user)

    def run(self, script: str, *, timeout: float = 3000) -> str:
        return self._machine.run(self._before + script, user=self._user, timeout=timeout)

    def describe_engine(self) -> str:
        """Return the engine's version, how it limits containers, and the kernel."""
        info = json.loads(self.run("docker info --format '{{json .}}'"))
        options = "rootless, " if "name=rootless" in info["SecurityOptions"] else ""
        return (
            f"Docker {info['ServerVersion']}, {options}cgroup v{info['CgroupVersion']} with "
            f"{info['CgroupDriver']}, {info['OperatingSystem']}, Linux {info['KernelVersion']}"
        )


def make_up(learner: Learner, record: Record, what: str, before: str = "") -> None:
    """Build and start every service."""
    learner.copy_course()
    with record.row(what) as row:
        output = learner.run(f"make .venv/.ready >&2 && {before} make up" if before else "make up")
        for page in ("15050/degrees", "15101/", "18080/docs", "18000/"):
            assert f"http://localhost:{page}" in output
        row.found = learner.describe_engine()


def check(learner: Learner, record: Record) -> None:
    with record.row("`workshop check task-5`") as row:
        output = learner.run(f".venv/bin/workshop check task-5 {ANSWER}")
        assert FULL_MARKS in output
        row.found = FULL_MARKS


def grade(learner: Learner, record: Record, required: str = "--require-isolation") -> None:
    """Grade a class of one, and read which limits of a submission hold."""
    with record.row(f"`workshop grade {required}`".replace(" `", "`")) as row:
        output = learner.run(
            f"rm -rf ~/class ~/marks && mkdir ~/class && cp -r {ANSWER} ~/class/anna && "
            f".venv/bin/workshop grade ~/class --task task-5 --out ~/marks {required} && "
            "cat ~/marks/limits.json"
        )
        held = json.loads(output[output.rindex("{") :])
        missing = [name for name, holds in held.items() if not holds]
        assert "1 passed" in output
        assert not (required and missing), f"these do not hold: {', '.join(missing)}"
        row.found = f"{len(held) - len(missing)} of {len(held)} limits hold"


def test_debian_13(trixie):
    record = Record("Debian 13 with systemd")
    root = Learner(trixie, "root")
    make_up(root, record, "`make up` from nothing: it installs an engine and starts every service")
    check(root, record)
    grade(root, record)


def test_debian_12(bookworm):
    record = Record("Debian 12 with systemd")
    root = Learner(bookworm, "root")
    make_up(root, record, "`make up` from nothing: it installs an engine and starts every service")
    check(root, record)
    grade(root, record)


def test_a_newer_engine(forky):
    """Debian's testing release has a newer engine, compose and buildx."""
    record = Record("A newer engine (Debian testing)")
    root = Learner(forky, "root")
    forky.run("systemctl start docker")
    make_up(root, record, "`workshop bases --stand-ins`, `make up`", f"{STANDINS} >&2 &&")
    check(root, record)
    grade(root, record)


ROOTLESS = """
set -eu
sudo loginctl enable-linger learner
export XDG_RUNTIME_DIR=/run/user/$(id -u) PATH=$PATH:/usr/sbin:/sbin:/usr/share/docker.io/contrib
cd ~
dockerd-rootless-setuptool.sh install --force
"""


def test_rootless_docker(trixie):
    record = Record("Rootless Docker (Debian 13)")
    with record.row("installing it for an ordinary user, with Debian's packages") as row:
        trixie.run("usermod --append --groups sudo learner")
        trixie.run("echo 'learner ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/learner")
        trixie.run(ROOTLESS, user="learner")
        row.found = "dockerd-rootless-setuptool.sh, with rootlesskit and slirp4netns"
    learner = Learner(trixie, "learner", "unix:///run/user/1000/docker.sock")
    make_up(learner, record, "`workshop bases --stand-ins`, `make up`", f"{STANDINS} >&2 &&")
    check(learner, record)
    grade(learner, record, "")


def test_podman(trixie):
    """Podman answers the docker command through Docker's API."""
    record = Record("Podman through Docker's API (Debian 13)")
    with record.row("`docker info`, `docker run`") as row:
        trixie.run("systemctl start podman.socket")
        learner = Learner(trixie, "root", "unix:///run/podman/podman.sock")
        version = learner.run("docker version --format '{{(index .Server.Components 0).Version}}'")
        saved = "DOCKER_HOST= docker save python:3.13-slim-trixie python:3.11-slim-bookworm"
        learner.run(f"{saved} | docker load")
        output = learner.run("docker run --rm python:3.13-slim-trixie python --version")
        assert output.startswith("Python 3.13")
        row.found = f"Podman {version.strip()}, {output.strip()}"
    with record.row("`docker build` with BuildKit") as row:
        learner.run("docker build --tag degrees services/degrees_api")
        row.found = learner.run("docker image inspect degrees --format '{{.Os}}/{{.Architecture}}'")
    with record.row("`docker compose up`") as row:
        learner.run("docker compose --profile all up --detach --wait degrees-api")
        row.found = learner.run("docker compose --profile all ps --format '{{.Name}} {{.State}}'")
    check(learner, record)
    grade(learner, record, "")
