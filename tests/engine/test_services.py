"""Responses of the services, requested from outside as in their lessons."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from harness import ROOT, Container, container, docker, get, until

if TYPE_CHECKING:
    from collections.abc import Iterator

DEGREES = [
    {"degrees": 5818, "id": 0, "year": 1990},
    {"degrees": 5725, "id": 1, "year": 1991},
    {"degrees": 6005, "id": 2, "year": 1992},
    {"degrees": 6123, "id": 3, "year": 1993},
    {"degrees": 6096, "id": 4, "year": 1994},
]


def serve(image: str, port: int, *options: str) -> Iterator[Container]:
    with container(image, "--publish", f"127.0.0.1::{port}", *options) as server:
        server.answers(port)
        yield server


# ------------------------------------------------------------------ part 3
def test_baby_steps_shows_another_animal(built):
    image = built("poetry-ws-part-3-baby-steps:latest")
    output = docker("run", "--rm", image, "cowsay", "-f", "stegosaurus", "hello")
    assert "< hello >" in output
    assert "(__)" not in output  # no cow


def test_baby_steps_tells_a_fortune(built):
    image = built("poetry-ws-part-3-baby-steps:latest")
    output = docker("run", "--rm", image, "sh", "-c", "fortune | cowsay")
    assert "(oo)" in output
    assert re.search(r"[</|] \w", output), "the bubble is empty"


def test_the_greeter_is_a_dinosaur_and_not_a_cow(built):
    output = docker("run", "--rm", built("poetry-ws-part-3-python-poetry:latest"))
    assert "Greetings from somenergia.coop!" in output
    assert "(oo)" not in output


def test_the_greeter_accepts_every_build_argument_of_its_lesson(built, tmp_path):
    built("poetry-ws-part-3-python-poetry:latest")
    image = f"workshop-test-{tmp_path.name}"
    arguments = {
        "USERNAME": "ada",
        "USER_UID": "4321",
        "USER_GID": "4322",
        "WORKDIR": "/srv/greeter",
    }
    options = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    try:
        docker("build", "--tag", image, *options, str(ROOT / "services/part-3/python-poetry"))
        who = docker("run", "--rm", image, "sh", "-c", "id -un; id -u; id -g; pwd; greeter-cli")
        assert who.splitlines()[:4] == ["ada", "4321", "4322", "/srv/greeter"]
        assert "Greetings from somenergia.coop!" in who
    finally:
        docker("image", "rm", "--force", image, check=False)


# ------------------------------------------------------------------ FastAPI
def test_task_five_writes_only_to_its_data_folder(built):
    with container(built("nonroot-image-fastapi:dev")) as server:
        server.run("touch", "/home/runner/data/kept")
        for place in ("/etc/new", "/home/runner/server/new", "/home/runner/new"):
            done = server.run("sh", "-c", f"touch {place} 2>&1; true")
            assert "Permission denied" in done


# ------------------------------------------------------------------ degrees_api
@pytest.fixture(scope="module")
def degrees(built):
    yield from serve_degrees(built)


def serve_degrees(built) -> Iterator[str]:
    with container(built("degrees_api:1.0"), "--publish", "127.0.0.1::5000") as server:
        server.answers(5000, "/degrees")
        yield server.address(5000)


def test_degrees_returns_exactly_its_five_rows(degrees):
    answer = get(f"{degrees}/degrees")
    assert answer.json() == DEGREES
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("start=1992", DEGREES[2:]),
        ("limit=2", DEGREES[:2]),
        ("start=1991&limit=1", DEGREES[1:2]),
        ("start=2100", []),
        ("limit=0", []),
    ],
)
def test_degrees_can_start_at_a_year_and_be_limited(degrees, query, rows):
    assert get(f"{degrees}/degrees?{query}").json() == rows


def test_one_degree_is_found_by_its_id(degrees):
    assert get(f"{degrees}/degrees/3").json() == DEGREES[3]


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/degrees?start=soon", 400, "start must be a whole number"),
        ("/degrees?limit=-1", 400, "limit must be a whole number"),
        ("/degrees/x", 400, "id must be a whole number"),
        ("/degrees/7", 404, "no row has the id 7"),
        ("/nothing", 404, "/nothing"),
    ],
)
def test_an_invalid_request_gets_a_json_error(degrees, path, status, says):
    answer = get(degrees + path)
    assert answer.status_code == status
    assert says in answer.json()["error"]


def test_degrees_shows_no_debugger_by_default(degrees):
    assert get(f"{degrees}/console").status_code == 404


# ------------------------------------------------------------------ deathstar
@pytest.fixture
def deathstar(built):
    with container(built("deathstar:latest"), "--publish", "127.0.0.1::8080") as server:
        server.answers(8080, "/health")
        yield server


def test_a_planet_exists_until_it_is_destroyed(deathstar):
    planet = deathstar.address(8080) + "/api/v1/planets/Alderaan"
    assert get(planet).status_code == 200
    assert httpx.delete(planet).status_code == 204
    assert get(planet).status_code == 404
    assert httpx.delete(planet).status_code == 404


def test_the_laser_destroys_a_planet_once(deathstar):
    assert "Alderaan" in deathstar.run("deathstar", "laser", "Alderaan")
    again = docker("exec", deathstar.id, "deathstar", "laser", "Alderaan", check=False)
    assert "Alderaan" in again
    assert len(again.splitlines()) == 1


@pytest.mark.slow
def test_responses_conform_to_the_openapi_document(deathstar, tmp_path):
    address = deathstar.address(8080)
    argv = (sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json")
    done = subprocess.run(
        [*argv, "--checks=all", "--max-examples=25", "--no-color", "--generation-deterministic"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# ------------------------------------------------------------------ todo-app
class Visitor:
    """A client with a browser's cookies and forms, without a browser."""

    def __init__(self, address: str) -> None:
        self.address, self.cookies = address, httpx.Cookies()

    def ask(self, method: str, path: str, **fields: str) -> httpx.Response:
        """Send a request with the cookies received so far, and follow redirects."""
        with httpx.Client(
            cookies=self.cookies, follow_redirects=True, verify=False, trust_env=False
        ) as client:
            answer = client.request(method, self.address + path, data=fields or None)
            self.cookies = client.cookies
        return answer

    @property
    def page(self) -> str:
        return self.ask("GET", "/").text

    def send(self, path: str, **fields: str) -> httpx.Response:
        """Send one of the page's forms, including its token."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.page)
        assert token, "the page has no form"
        return self.ask("POST", path, csrf_token=token[1], **fields)

    def act(self, verb: str) -> None:
        """Press the first button for this action."""
        found = re.search(rf'action="(/items/\d+/{verb})"', self.page)
        assert found, f"nothing to {verb}"
        assert self.send(found[1]).status_code == 200


@pytest.fixture(scope="module")
def todo_address(built):
    options = ("--env", f"SECRET_KEY={secrets.token_hex(32)}")
    for server in serve(built("todo-app:prod"), 8000, *options):
        yield server.address(8000)


def test_an_item_is_added_completed_reopened_and_deleted(todo_address):
    visitor, title = Visitor(todo_address), f"Buy {secrets.token_hex(4)}"
    visitor.send("/items", title=title)
    assert title in visitor.page
    visitor.act("complete")
    visitor.act("reopen")
    visitor.act("delete")
    visitor.send("/items", title="Something else")
    assert title not in visitor.page


def test_a_form_without_its_token_changes_nothing(todo_address):
    answer = httpx.post(f"{todo_address}/items", data={"title": "Forged"})
    assert answer.status_code == 400
    assert "Forged" not in Visitor(todo_address).page


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "SECRET_KEY is not set"),
        (("--env", 'SECRET_KEY="quoted"'), "quotation mark"),
        (("--env", "SECRET_KEY=change-me"), "placeholder"),
        (("--env", "SECRET_KEY=x" * 9, "--env", "DATABASE_URL=mysql://x"), "DATABASE_URL"),
    ],
)
@pytest.mark.parametrize("image", ["todo-app:prod"])
def test_an_invalid_setting_ends_the_to_do_app_with_one_line(built, image, options, says):
    with container(built(image), *options) as server:
        until(lambda: not server.running, "its end")
        matching = [line for line in server.logs().splitlines() if says in line]
        assert matching
        assert "Traceback" not in server.logs()
        assert docker("inspect", "--format", "{{.State.ExitCode}}", server.id) != "0"


POSTGRES = """
FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends postgresql
USER postgres
ENV PATH=/usr/lib/postgresql/17/bin:$PATH
RUN initdb --encoding=UTF8 --auth=trust --username=todo /tmp/data \\
    && echo "host all all all trust" >> /tmp/data/pg_hba.conf
CMD ["postgres", "-D", "/tmp/data", "-c", "listen_addresses=*"]
"""


@pytest.fixture(scope="module")
def postgres_image(engine, tmp_path_factory):  # noqa: ARG001
    folder = tmp_path_factory.mktemp("postgres")
    (folder / "Dockerfile").write_text(POSTGRES)
    docker("build", "--tag", "workshop-test-postgres", str(folder))
    yield "workshop-test-postgres"
    docker("image", "rm", "workshop-test-postgres")


@pytest.mark.slow
def test_items_can_be_stored_in_postgresql(built, network, postgres_image):
    url = "postgresql://todo@database:5432/postgres"
    join = ("--network", network)
    options = (*join, "--env", "SECRET_KEY=0123456789abcdef", "--env", f"DATABASE_URL={url}")
    image = built("todo-app:prod")
    with container(postgres_image, *join, "--network-alias", "database") as database:
        until(lambda: "ready to accept" in database.logs(), "PostgreSQL")
        for server in serve(image, 8000, *options):
            Visitor(server.address(8000)).send("/items", title="Kept in PostgreSQL")
        for server in serve(image, 8000, *options):
            assert "Kept in PostgreSQL" in Visitor(server.address(8000)).page
        rows = database.run(
            "psql", "--username=todo", "postgres", "-Atc", "select title from items"
        )
        assert rows == "Kept in PostgreSQL"


# ------------------------------------------------------------------ tests of the services
OWN_TESTS = {
    "part-3/python-poetry": ("--target=test",),
    "degrees_api": ("--target=test",),
    "deathstar": ("--target=test",),
    # Its Dockerfiles are solutions of exercises, so the tests have a separate one.
    "fastapi": ("--file", "services/fastapi/Dockerfile-test"),
}


@pytest.mark.parametrize("folder", OWN_TESTS)
def test_the_tests_of_a_service_pass_in_its_test_image(folder, run_tests_of, tmp_path):
    image = f"workshop-test-{tmp_path.name}"
    try:
        docker("build", "--tag", image, *OWN_TESTS[folder], f"services/{folder}", cwd=ROOT)
        run_tests_of(image)
    finally:
        docker("image", "rm", "--force", image, check=False)


def test_the_tests_of_the_to_do_app_pass_in_a_browser(built, run_tests_of):
    run_tests_of(built("todo-app:test"))
