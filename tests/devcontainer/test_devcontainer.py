"""The dev container's own command line builds and starts it, and every service is up.

A registry of features or images is not needed: both are in the checkout, and the engine inside
builds the base images itself if no registry answers.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness import ROOT, docker, run

from workshop.stack.images import WEB

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
UID = 1000
ANSWERS = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).status)"


@pytest.fixture(scope="module")
def command(tmp_path_factory) -> str:
    """The devcontainer command, from its package."""
    if not shutil.which("npm"):
        if os.environ.get("REQUIRE_ENGINE", "") not in {"", "0"}:
            pytest.fail("npm is missing, which installs the devcontainer command")
        pytest.skip("npm is missing, which installs the devcontainer command")
    folder = tmp_path_factory.mktemp("cli")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder)
    return str(folder / "node_modules/.bin/devcontainer")


class DevContainer:
    """The dev container of a copy of the checkout."""

    def __init__(self, command: str, folder: Path) -> None:
        self._command, self.folder = command, folder
        self.id = ""

    def up(self) -> dict:
        """Build and start it; return what the command prints last."""
        argv = (self._command, "up", "--workspace-folder", str(self.folder))
        done = run(*argv, timeout=3000)
        result = json.loads(done.stdout.strip().splitlines()[-1])
        self.id = result.get("containerId", "")
        return result

    def run(self, *argv: str, check: bool = True) -> str:
        """Return the output of a command that runs as the editor would run it."""
        place = ("--workspace-folder", str(self.folder))
        return run(self._command, "exec", *place, *argv, check=check, timeout=1200).stdout

    def remove(self) -> None:
        """Remove the container, its volumes and its images."""
        label = f"label=devcontainer.local_folder={self.folder}"
        for container in docker("ps", "--all", "--quiet", "--filter", label).split():
            state = json.loads(docker("inspect", container))[0]
            docker("rm", "--force", "--volumes", container)
            for mount in state["Mounts"]:
                if mount["Type"] == "volume":
                    docker("volume", "rm", "--force", mount["Name"])
            docker("image", "rm", "--force", state["Image"], check=False)


@pytest.fixture(scope="module")
def opened(engine, command, tmp_path_factory) -> Iterator[tuple[DevContainer, dict]]:  # noqa: ARG001
    """The dev container of a fresh clone, opened for the first time."""
    if os.geteuid():
        pytest.skip("giving the files to the container's user needs root")
    folder = tmp_path_factory.mktemp("workspace") / "course"
    listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    files = run(*listed, cwd=ROOT).stdout.split("\0")
    for name in filter(None, files):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name, follow_symlinks=False)
    run("git", "init", "--quiet", str(folder))
    run("chown", "--recursive", f"{UID}:{UID}", str(folder))
    container = DevContainer(command, folder)
    try:
        yield container, container.up()
    finally:
        container.remove()


def test_it_opens_for_an_ordinary_user(opened):
    container, result = opened
    assert result["outcome"] == "success"
    assert result["remoteUser"] == "learner"
    assert container.run("id", "--user").strip() == str(UID)


def test_every_service_answers_at_its_forwarded_port(opened):
    container, _ = opened
    for web in WEB:
        address = f"http://127.0.0.1:{web.port}{web.page}"
        assert container.run("python3", "-c", ANSWERS, address).split()[-1] == "200", web.service


def test_the_engine_is_its_own(opened):
    container, _ = opened
    assert container.run("docker", "info", "--format", "{{.Name}}").strip() == container.id[:12]
    assert container.run("docker", "version", "--format", "{{.Server.Version}}").startswith("26.")


def test_an_answer_is_checked_and_the_files_belong_to_the_user(opened):
    container, _ = opened
    shutil.copytree(ROOT / "services/fastapi", container.folder / "exercises/answer")
    run("chown", "--recursive", f"{UID}:{UID}", str(container.folder / "exercises"))
    output = container.run(".venv/bin/workshop", "check", "task-5", "exercises/answer")
    assert "22 of 22 points" in output
    others = [path for path in container.folder.rglob("*") if path.lstat().st_uid != UID]
    assert others == []


def test_the_services_are_up_again_after_a_stop(opened):
    container, _ = opened
    docker("stop", container.id)
    result = container.up()
    assert (result["outcome"], result["containerId"]) == ("success", container.id)
    web = WEB[0]
    address = f"http://127.0.0.1:{web.port}{web.page}"
    assert container.run("python3", "-c", ANSWERS, address).split()[-1] == "200"
