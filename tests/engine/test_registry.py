"""Upload to and download from a local registry."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

import pytest
from harness import ROOT, container, docker, run

if TYPE_CHECKING:
    from collections.abc import Iterator

REGISTRY = "registry:2.8.3"
TASK = str(ROOT / ".venv/bin/task")


@pytest.fixture(scope="module")
def registry(engine) -> Iterator[str]:
    """The address of an empty registry."""
    if not engine.has(REGISTRY):
        pytest.fail(f"{REGISTRY} is missing: run make bases")
    with container(REGISTRY, "--publish", "127.0.0.1::5000") as server:
        server.answers(5000, "/v2/")
        yield server.address(5000).removeprefix("http://")


def task(*arguments: str, check: bool = True) -> str:
    return run(TASK, "--exit-code", *arguments, cwd=ROOT, check=check).stdout


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("service", ["greeter", pytest.param("deathstar", marks=pytest.mark.slow)])
def test_the_pulled_image_equals_the_uploaded_one(registry, service):
    owner = f"learner-{secrets.token_hex(4)}"
    names = (f"SERVICE={service}", f"DOCKER_REGISTRY={registry}", f"DOCKER_OWNER={owner}")
    image = f"{registry}/{owner}/{service}:latest"
    try:
        task("docker:build", *names)
        built_id = docker("image", "inspect", "--format", "{{.Id}}", image)
        uploaded = re.search(r"digest: (sha256:\w+)", task("docker:upload", *names))
        assert uploaded
        docker("image", "rm", "--force", image)
        pulled = re.search(r"Digest: (sha256:\w+)", docker("pull", image))
        assert pulled
        assert pulled[1] == uploaded[1]
        assert docker("image", "inspect", "--format", "{{.Id}}", image) == built_id
    finally:
        docker("image", "rm", "--force", image, check=False)


@pytest.mark.slow
def test_compose_pushes_part_three_to_the_given_registry(built, registry):
    built("poetry-ws-part-3-python-poetry:latest")
    image = f"{registry}/poetry-ws-part-3-python-poetry:latest"
    file = ("compose", "--file", "docker-compose.part-3.yml")
    try:
        docker(*file, "build", "python-poetry", cwd=ROOT, env={"REGISTRY": registry})
        docker(*file, "push", "python-poetry", cwd=ROOT, env={"REGISTRY": registry})
        docker("image", "rm", "--force", image)
        docker("pull", image)
        assert "Greetings from somenergia.coop!" in docker("run", "--rm", image)
    finally:
        docker("image", "rm", "--force", image, check=False)


@pytest.mark.usefixtures("engine")
def test_a_refused_upload_is_reported_with_the_fix(tmp_path):
    """The registry requires a password, and gets none."""
    password = f"learner:{'$2y$05$'}{'a' * 53}\n"  # a hash that matches no password
    (tmp_path / "htpasswd").write_text(password)
    options = (
        "--publish=127.0.0.1::5000",
        f"--mount=type=bind,source={tmp_path},target=/auth,readonly",
        "--env=REGISTRY_AUTH=htpasswd",
        "--env=REGISTRY_AUTH_HTPASSWD_REALM=workshop",
        "--env=REGISTRY_AUTH_HTPASSWD_PATH=/auth/htpasswd",
    )
    with container(REGISTRY, *options) as server:
        server.answers(5000, "/v2/")
        address = server.address(5000).removeprefix("http://")
        image = f"{address}/learner/greeter:latest"
        names = ("SERVICE=greeter", f"DOCKER_REGISTRY={address}", "DOCKER_OWNER=learner")
        try:
            task("docker:build", *names)
            output = task("docker:upload", *names, check=False)
        finally:
            docker("image", "rm", "--force", image, check=False)
    assert f"{image} was not uploaded" in output
    assert f"docker login {address}" in output


@pytest.mark.parametrize("name", ["docker:build", "docker:run", "docker:upload"])
def test_an_unknown_service_is_reported_with_the_known_ones(name):
    output = task(name, "SERVICE=nonsense", "DOCKER_OWNER=learner", check=False)
    assert "nonsense" in output
    assert "deathstar" in output


def test_an_upload_needs_an_owner():
    assert "DOCKER_OWNER=your-name" in task("docker:upload", check=False)


@pytest.mark.parametrize("name", ["docker:build", "docker:run", "docker:upload"])
def test_a_name_with_capital_letters_is_refused_before_docker_runs(name):
    output = task(name, "DOCKER_OWNER=Ada-Learner", check=False)
    assert "capital letters" in output
    assert "write ada-learner/deathstar" in output


def test_a_port_in_use_is_reported_with_its_container(built):
    with container(built("degrees_api:1.0"), "--publish", "127.0.0.1::5000") as holder:
        port = holder.address(5000).rpartition(":")[2]
        output = task("docker:run", f"PORT={port}", check=False)
    assert f"Port {port} is in use by the container {holder.id}" in output
    assert f"docker stop {holder.id}" in output


def test_a_service_runs_on_the_port_that_is_asked_for(engine):  # noqa: ARG001
    done = run(TASK, "--dry", "docker:run", "PORT=9001", cwd=ROOT)
    assert "--publish 127.0.0.1:9001:8080" in done.stdout


def test_the_image_name_is_made_of_the_four_variables(engine):  # noqa: ARG001
    names = ("DOCKER_REGISTRY=r.test", "DOCKER_OWNER=o", "DOCKER_IMAGE_NAME=n")
    done = run(TASK, "--dry", "docker:build", *names, "DOCKER_IMAGE_VERSION=v", cwd=ROOT)
    assert 'docker build --tag "r.test/o/n:v" services/deathstar' in done.stdout
