"""The compose file that the kit writes for a learner's service runs without a network."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

import pytest
from harness import docker, until

from workshop.analysis.compose import emit, read
from workshop.analysis.container.excess import RunLimits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REQUEST = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/').status)"


@pytest.fixture
def project() -> Iterator[str]:
    """The name of a separate project."""
    name = f"workshop-test-{secrets.token_hex(4)}"
    yield name
    docker("compose", "--project-name", name, "down", "--volumes", check=False)


def resources_of(project: str) -> str:
    """Return the ids of the project's containers, volumes and networks."""
    mine = f"label=com.docker.compose.project={project}"
    commands = (("ps", "--all"), ("volume", "ls"), ("network", "ls"))
    return "".join(docker(*command, "--quiet", "--filter", mine) for command in commands)


def up(text: str, folder: Path, project: str) -> dict:
    """Start the compose file in `text`, and inspect its only container."""
    file = folder / "ours.yml"
    file.write_text(text, encoding="utf-8")
    docker("compose", "--project-name", project, "--file", str(file), "up", "--detach")
    label = f"label=com.docker.compose.project={project}"
    container = docker("ps", "--all", "--quiet", "--filter", label)
    return json.loads(docker("inspect", container))[0]


@pytest.mark.slow
def test_the_to_do_app_runs_without_a_network_and_is_removed(built, checkout, project):
    compose = read((checkout / "docker-compose.yml").read_bytes(), {})
    images = {"todo-app": built("todo-app:dev")}
    text = emit(compose, ["todo-app"], images=images, folder=checkout, limits=RunLimits().settings)
    found = up(text, checkout, project)
    # The app answers only inside the container.
    answer = until(
        lambda: docker("exec", found["Id"], "python", "-c", REQUEST, check=False).endswith("200"),
        "a response from the to-do app",
    )
    assert answer
    assert list(found["NetworkSettings"]["Networks"]) == ["none"]
    assert not found["NetworkSettings"]["Ports"]
    limits = found["HostConfig"]
    assert limits["SecurityOpt"] == ["no-new-privileges:true"]
    assert (limits["PidsLimit"], limits["Memory"], limits["Init"]) == (512, 10**9, True)
    binds = {
        mount["Destination"]: mount["Source"]
        for mount in found["Mounts"]
        if mount["Type"] == "bind"
    }
    assert binds == {"/app/todo_app": str(checkout / "services/todo-app/todo_app")}
    docker("compose", "--project-name", project, "down", "--volumes")
    assert resources_of(project) == ""


def test_arguments_and_values_are_passed_unchanged(built, tmp_path, project):
    values = [
        "$HOME ${HOME} $$",
        'a "b" \\ c',
        "é \U0001f600 \u2028",
        "tab\tline\nend",
        "",
        "true",
        "07",
    ]
    body = {
        "image": "x",
        "entrypoint": [
            "python",
            "-c",
            "import json, os, sys; print(json.dumps([*sys.argv[1:], os.environ['A']]))",
        ],
        "command": [value.replace("$", "$$") for value in values],
        "environment": {"A": "$${A} $$$$"},
    }
    # In YAML, an unescaped U+2028 ends the line.
    text = json.dumps({"services": {"web": body}}, ensure_ascii=False).replace("\u2028", "\\u2028")
    emitted = emit(read(text, {}), ["web"], images={"web": built("todo-app:dev")}, folder=tmp_path)
    found = up(emitted, tmp_path, project)
    docker("wait", found["Id"])
    assert json.loads(docker("logs", found["Id"])) == [*values, "${A} $$"]
