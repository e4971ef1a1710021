"""Images for arm64 are built and run in QEMU's user emulation, from base images for arm64.

The kit runs unchanged, as it would on an arm64 machine: a program in the place of mmdebstrap asks
for that architecture, and the docker command's default platform is set.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness import ROOT, WORKSHOP, run, until
from own_engine import OwnEngine, is_possible
from platforms.emulation import emulating, missing
from platforms.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

PLATFORM = "linux/arm64"
RECORD = Record("arm64, in QEMU's user emulation")
# The base images of greeter and of task 3-2, and the Debian releases that they are built on.
NEEDED = {
    "debian:trixie-slim",
    "debian:bookworm-slim",
    "python:3.13-slim-trixie",
    "python:3.11-slim-bookworm",
}
MMDEBSTRAP = '#!/bin/sh\nexec {real} --architectures=arm64 "$@"\n'


class Arm64:
    """An engine whose base images are for arm64, and commands that use it."""

    def __init__(self, engine: OwnEngine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.env = {**engine.env, "DOCKER_DEFAULT_PLATFORM": PLATFORM}

    def docker(self, *arguments: str, timeout: float = 2400) -> str:
        return run("docker", *arguments, env=self.env, timeout=timeout).stdout

    def build_bases(self) -> str:
        """Build the stand-ins with the kit, and return what it prints."""
        kit = self.folder / "kit"
        shutil.copytree(ROOT / "workshop", kit / "workshop")
        text = (ROOT / "versions.toml").read_text(encoding="utf-8")
        head, *rest = re.split(r"(?=^\[\[base\]\]\n)", text, flags=re.MULTILINE)
        kept = [part for part in rest if re.findall(r'image = "([^"]+)"', part)[0] in NEEDED]
        assert len(kept) == len(NEEDED)
        (kit / "versions.toml").write_text(head + "".join(kept), encoding="utf-8")
        wrapper = self.folder / "bin/mmdebstrap"
        wrapper.parent.mkdir()
        wrapper.write_text(MMDEBSTRAP.format(real=shutil.which("mmdebstrap")), encoding="utf-8")
        wrapper.chmod(0o755)
        env = {**self.env, "PATH": f"{wrapper.parent}:{os.environ['PATH']}", "PYTHONPATH": str(kit)}
        argv = (*WORKSHOP, "bases", "--stand-ins")
        return run(*argv, cwd=kit, env=env, timeout=2400).stdout


@pytest.fixture(scope="module")
def arm64(engine) -> Iterator[Arm64]:  # noqa: ARG001 - its network is that of a container there
    if reason := missing() or ("" if is_possible() else "a second engine cannot be started here"):
        pytest.fail(reason)
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="own-", dir="/var/tmp"))
        folder = Path(place)
        stack.enter_context(emulating())
        own = stack.enter_context(OwnEngine(folder / "engine"))
        machine = Arm64(own, folder)
        with RECORD.row("`workshop bases --stand-ins`") as row:
            output = machine.build_bases()
            made = [line.split()[0] for line in output.splitlines() if "stand-in" in line]
            architectures = {
                machine.docker("image", "inspect", "--format", "{{.Architecture}}", name).strip()
                for name in NEEDED
            }
            assert architectures == {"arm64"}
            row.found = f"{len(NEEDED)} images for arm64, such as {made[-1]}"
        yield machine


def test_greeter_is_built_and_greets(arm64):
    with RECORD.row("greeter: `docker build`, `docker run`") as row:
        arm64.docker("build", "--tag", "greeter", str(ROOT / "services/part-3/python-poetry"))
        machine = arm64.docker("run", "--rm", "--entrypoint", "uname", "greeter", "-m").strip()
        python = arm64.docker("run", "--rm", "--entrypoint", "python", "greeter", "--version")
        output = arm64.docker("run", "--rm", "greeter")
        assert machine == "aarch64"
        assert output.strip()
        row.found = f"{machine}, {python.strip()}"


def test_task_3_2_is_built_and_answers(arm64):
    folder = ROOT / "services/fastapi"
    with RECORD.row("task 3-2: `docker build`, `docker run`, `GET /`") as row:
        dockerfile = str(folder / "Dockerfile-task-3-2")
        arm64.docker("build", "--tag", "task-3-2", "--file", dockerfile, str(folder))
        name = arm64.docker("run", "--detach", "task-3-2").strip()
        ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/').read())"

        def answer() -> str:
            argv = ("docker", "exec", name, "python", "-c", ask)
            done = run(*argv, env=arm64.env, check=False)
            return done.stdout if done.returncode == 0 else ""

        body = until(answer, "a response of task 3-2", 120)
        machine = arm64.docker("exec", name, "uname", "-m").strip()
        assert machine == "aarch64"
        assert "Hello World" in body
        row.found = f"{machine}, {body.strip()}"
