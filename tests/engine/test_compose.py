"""The compose files, run from a second checkout beside the first."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest
from harness import ROOT, Container, config_of, docker, free_ports, get, until

from workshop.stack.images import EXTRA_IMAGES, IMAGES, WEB

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PORT_VARIABLES = [web.variable for web in WEB]


@dataclass(frozen=True)
class Project:
    """A compose project with its own folder and ports."""

    folder: Path
    env: dict[str, str]
    options: tuple[str, ...] = ()

    def compose(self, *arguments: str, check: bool = True) -> str:
        return docker(
            "compose", *self.options, *arguments, cwd=self.folder, env=self.env, check=check
        )

    def container(self, service: str) -> Container:
        return Container(self.compose("ps", "--quiet", service))

    def get(self, variable: str, path: str = "/") -> str:
        with contextlib.suppress(httpx.TransportError):
            return get(f"http://127.0.0.1:{self.env[variable]}{path}").text
        return ""


@pytest.fixture
def project(built, checkout) -> Iterator[Project]:
    """A checkout whose images are built; its containers and volumes are removed at the end."""
    for name in ("todo-app:dev", "todo-app:test", "todo-app:prod", "todo-app:debug"):
        built(name)
    # Bind mounts keep their owner, which is the user who runs the test.
    env = dict(zip(PORT_VARIABLES, map(str, free_ports(len(PORT_VARIABLES))), strict=True))
    env["COMPOSE_PROJECT_NAME"] = f"workshop-test-{secrets.token_hex(4)}"
    project = Project(checkout, env, ("--profile", "all"))
    yield project
    project.compose("down", "--volumes", "--timeout", "3")


def services_of(file: str) -> dict[str, dict]:
    """Return the services of one of the kit's compose files, as read by docker compose."""
    arguments = ("--profile", "all", "--file", file, "config", "--format", "json")
    output = docker("compose", *arguments, cwd=ROOT)
    return json.loads(output[output.index("{") :])["services"]


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.mark.usefixtures("engine")
def test_compose_and_the_tool_build_the_same_images():
    """The compose files and the list of images have the same folder, file, target and image."""
    expected = {(i.name, i.folder, i.dockerfile, i.target) for i in IMAGES + EXTRA_IMAGES}
    files = ("docker-compose.yml", "docker-compose.debug.yml", "docker-compose.part-3.yml")
    for file in files:
        for service in services_of(file).values():
            build = service["build"]
            folder = os.path.relpath(build["context"], ROOT)
            target = build.get("target", "")
            assert (service["image"], folder, build["dockerfile"], target) in expected


def test_an_edited_template_is_served_without_a_rebuild(project):
    project.compose("up", "--detach", "--wait", "--no-build", "todo-app")
    template = project.folder / "services/todo-app/todo_app/templates/index.html"
    assert "What is there to do?" in project.get("TODO_PORT")
    edit(template, "What is there to do?", "What comes next?")
    until(lambda: "What comes next?" in project.get("TODO_PORT"), "the edited template")


@pytest.mark.slow
def test_an_edited_source_file_reloads_the_server(project):
    project.compose("up", "--detach", "--wait", "--no-build", "todo-app")
    view = project.folder / "services/todo-app/todo_app/views.py"
    edit(view, '"status": "ok"', '"status": "splendid"')
    until(lambda: "splendid" in project.get("TODO_PORT", "/health"), "the edited view")


# A few tests are enough to show that polling detects the edits too.
@pytest.mark.slow
@pytest.mark.parametrize(
    "part", [(), ("--ignore=tests/e2e", "-k", "health")], ids=["events", "polling"]
)
def test_the_watching_tests_fail_and_pass_again_without_a_restart(project, part, request):
    project.env["TEST_POLL"] = "1" if part else ""
    if part:
        name = f"{project.env['COMPOSE_PROJECT_NAME']}-tests"
        project.compose("run", "--detach", "--name", name, "todo-tests", "watch", *part)
        request.addfinalizer(lambda: docker("rm", "--force", name))  # `down` does not remove it
        runner = Container(name)
    else:
        project.compose("up", "--detach", "--no-build", "todo-tests")
        runner = project.container("todo-tests")
    view = project.folder / "services/todo-app/todo_app/views.py"

    def has_printed(word: str, times: int) -> bool:
        return runner.logs().count(word) >= times

    until(lambda: has_printed("GREEN", 1), "a first green run", 90)
    edit(view, '"status": "ok"', '"status": "broken"')
    until(lambda: has_printed("RED", 1), "a red run", 90)
    greens = runner.logs().count("GREEN")
    edit(view, '"status": "broken"', '"status": "ok"')
    until(lambda: has_printed("GREEN", greens + 1), "a green run again", 90)
    assert docker("inspect", "--format", "{{.RestartCount}}", runner.id) == "0"
    code, seconds = runner.stop()
    assert seconds < 3
    assert code in {0, 130, 143}


@pytest.mark.slow
def test_to_do_items_outlive_the_containers(project):
    key = f"SECRET_KEY={secrets.token_hex(32)}\n"
    (project.folder / "services/todo-app/.env").write_text(key)
    up = ("up", "--detach", "--wait", "--no-build", "todo-production")
    project.compose(*up)
    address = f"http://127.0.0.1:{project.env['TODO_PRODUCTION_PORT']}"
    with httpx.Client(base_url=address) as client:
        token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/").text)
        assert token
        client.post("/items", data={"csrf_token": token[1], "title": "Outlive this"})
    project.compose("down")
    assert project.get("TODO_PRODUCTION_PORT") == ""
    project.compose(*up)
    assert "Outlive this" in project.get("TODO_PRODUCTION_PORT")


def test_production_without_settings_ends_with_an_error(project):
    output = project.compose("up", "--no-build", "todo-production", check=False)
    assert "SECRET_KEY is not set" in output
    assert project.compose("ps", "--quiet", "todo-production") == ""


@pytest.mark.slow
def test_two_checkouts_run_side_by_side(project):
    """With another project name and other ports, neither affects the other."""
    twin_env = dict(zip(PORT_VARIABLES, map(str, free_ports(len(PORT_VARIABLES))), strict=True))
    twin_env["COMPOSE_PROJECT_NAME"] = project.env["COMPOSE_PROJECT_NAME"] + "-twin"
    twin = Project(project.folder, twin_env, project.options)
    try:
        for checkout in (project, twin):
            checkout.compose("up", "--detach", "--wait", "--no-build", "todo-app")
    finally:
        twin.compose("down", "--volumes", "--timeout", "3")
    assert "What is there to do?" in project.get("TODO_PORT")
    assert twin.get("TODO_PORT") == ""


@pytest.mark.usefixtures("engine")
def test_a_file_the_container_writes_in_a_bind_mount_keeps_its_owner(checkout):
    """Built with another uid and gid, the development image writes as that user."""
    image, folder = f"workshop-test-{secrets.token_hex(4)}", checkout / "services/todo-app"
    options = ("--build-arg=USER_UID=4321", "--build-arg=USER_GID=4322")
    os.chown(folder / "todo_app", 4321, 4322)
    mount = f"type=bind,source={folder / 'todo_app'},target=/app/todo_app"
    try:
        docker("build", "--target=development", *options, "--tag", image, str(folder))
        docker("run", "--rm", "--mount", mount, image, "touch", "/app/todo_app/made")
        made = (folder / "todo_app/made").stat()
        assert (made.st_uid, made.st_gid) == (4321, 4322)
    finally:
        docker("image", "rm", "--force", image, check=False)


def test_part_three_runs_from_its_compose_file(built, checkout):
    built("poetry-ws-part-3-python-poetry:latest")
    env = {"COMPOSE_PROJECT_NAME": f"workshop-test-{secrets.token_hex(4)}"}
    file = ("compose", "--file", "docker-compose.part-3.yml")
    try:
        output = docker(*file, "run", "--rm", "--build", "python-poetry", cwd=checkout, env=env)
        assert "Greetings from somenergia.coop!" in output
    finally:
        docker(*file, "down", cwd=checkout, env=env)


@pytest.mark.slow
def test_the_debug_environment_runs_the_app_on_request(project):
    debug = Project(project.folder, project.env, ("--file", "docker-compose.debug.yml"))
    ports = free_ports(2)
    debug.env.update(TODO_DEBUG_PORT=str(ports[0]), DEBUG_PORT=str(ports[1]))
    try:
        debug.compose("up", "--detach", "--no-build")
        assert debug.get("TODO_DEBUG_PORT") == ""
        debug.compose("exec", "--detach", "todo-debug", "flask", "run")
        until(lambda: "What is there to do?" in debug.get("TODO_DEBUG_PORT"), "flask")
    finally:
        debug.compose("down", "--volumes", "--timeout", "3")


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("file", ["docker-compose.yml", "docker-compose.debug.yml"])
def test_every_port_is_published_on_localhost_and_none_is_5000(file):
    for service in services_of(file).values():
        for port in service.get("ports", ()):
            assert port["host_ip"] == "127.0.0.1"
            assert port["published"] != "5000"


@pytest.mark.parametrize("file", ["docker-compose.yml", "docker-compose.debug.yml"])
def test_every_volume_of_an_image_is_mounted_by_name(built, file):
    for service in services_of(file).values():
        declared = set(config_of(built(service["image"])).get("Volumes") or ())
        assert declared <= {mount["target"] for mount in service.get("volumes", ())}
