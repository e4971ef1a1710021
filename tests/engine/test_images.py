"""The user, the content, the output and the shutdown of every image."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from harness import config_of, container, docker, files_in

from workshop.stack.images import EXTRA_IMAGES, IMAGES

APP, ROOT_USER, RUNNER = 1000, 0, 10000
KNOB = "SECRET_KEY=0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Expected:
    """The expected properties of an image."""

    uid: int = APP
    port: int = 0
    says: str = ""
    options: tuple[str, ...] = ()
    carries: frozenset[str] = frozenset()


HELLO = "Hello World"
SECONDS_TO_STOP = 3
POETRY, LISTS, PIP_CACHE, TESTS = "Poetry", "apt lists", "pip cache", "tests"
EXPECTED = {
    # Its lesson opens a shell as root.
    "poetry-ws-part-3-baby-steps:latest": Expected(ROOT_USER, says="< somenergia.coop >"),
    "poetry-ws-part-3-basic-python:latest": Expected(says="| somenergia.coop |"),
    "poetry-ws-part-3-python-poetry:latest": Expected(says="| Greetings from somenergia.coop! |"),
    "degrees_api:1.0": Expected(port=5000),
    "todo-app:dev": Expected(port=8000, options=("--env", KNOB)),
    "todo-app:prod": Expected(port=8000, options=("--env", KNOB)),
    "todo-app:debug": Expected(options=("--env", KNOB)),
    "todo-app:test": Expected(carries=frozenset({TESTS})),
    "deathstar:latest": Expected(port=8080),
    # The tasks before the fifth run as root, as their lessons say. The first is large on purpose,
    # and in task 3, Poetry starts the server.
    "base-image-fastapi-ubuntu-fat:test": Expected(
        ROOT_USER, 8000, HELLO, carries=frozenset({LISTS, PIP_CACHE})
    ),
    "base-image-fastapi-ubuntu:test": Expected(ROOT_USER, 8000, HELLO),
    "base-image-fastapi-fat:test": Expected(ROOT_USER, 8000, HELLO, carries=frozenset({POETRY})),
    "base-image-fastapi:dev": Expected(ROOT_USER, 8000, HELLO, carries=frozenset({POETRY})),
    "nonroot-image-fastapi:dev": Expected(RUNNER, 8000, HELLO, carries=frozenset({POETRY})),
}
WEB = {name: expected for name, expected in EXPECTED.items() if expected.port}
SAYING = {name: e for name, e in EXPECTED.items() if e.says and not e.port}

# Unwanted content of an image, by the path of a file that reveals it.
BAGGAGE = {
    POETRY: r"(^|/)bin/poetry$",
    LISTS: r"^var/lib/apt/lists/.*(Packages|Release)",
    PIP_CACHE: r"(^|/)\.cache/(pip|pypoetry|uv)/.",
    TESTS: r"^(app|server|home/[^/]+/server)/(?!\.venv/)(.*/)?tests?/.*\.py$",
    "git": r"(^|/)\.git/",
    "secrets": r"(^|/)\.env$",
    "bytecode of the source": r"^(app|server)/(?!\.venv/).*\.pyc$",
}


def test_every_image_of_the_kit_is_tested():
    assert set(EXPECTED) == {image.name for image in IMAGES + EXTRA_IMAGES}


@pytest.mark.parametrize("image", EXPECTED)
def test_an_image_contains_only_what_its_lesson_mentions(built, image):
    files = files_in(built(image))
    carried = {name for name, sign in BAGGAGE.items() if any(re.search(sign, f) for f in files)}
    assert carried == EXPECTED[image].carries


@pytest.mark.parametrize("image", SAYING)
def test_an_image_prints_what_its_lesson_shows(built, image):
    assert SAYING[image].says in docker("run", "--rm", "--network", "none", built(image))


@pytest.mark.parametrize("image", SAYING)
def test_a_command_runs_as_the_expected_user(built, image):
    with container(built(image), command=("sleep", "60")) as running:
        assert running.uids() == {SAYING[image].uid}


@pytest.mark.parametrize("image", WEB)
def test_a_server_runs_as_the_expected_user_and_stops_on_sigterm(built, image):
    expected = WEB[image]
    options = ("--publish", f"127.0.0.1::{expected.port}", *expected.options)
    # Try twice: a busy machine may delay the shutdown.
    for _ in range(2):
        with container(built(image), *options) as server:
            assert expected.says in server.answers(expected.port).text
            assert server.uids() == {expected.uid}
            code, seconds = server.stop()
            assert code in {0, 143}, server.logs()
        if seconds < SECONDS_TO_STOP:
            return
    pytest.fail(f"stopping took {seconds:.1f} s, twice; the limit is {SECONDS_TO_STOP} s")


@pytest.mark.parametrize("image", WEB)
def test_a_server_declares_its_port_and_starts_without_a_shell(built, image):
    config = config_of(built(image))
    assert f"{WEB[image].port}/tcp" in config["ExposedPorts"]
    argv = [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
    assert argv[0] not in {"sh", "bash", "/bin/sh", "/bin/bash"}


@pytest.mark.parametrize("image", [name for name in EXPECTED if EXPECTED[name].uid != ROOT_USER])
def test_the_user_cannot_change_the_files_of_an_image(built, image):
    script = (
        "import os; home = os.getcwd(); "
        'print([d for d, *_ in os.walk(home) if os.access(d, os.W_OK)], os.access("/etc", os.W_OK))'
    )
    python = ("--entrypoint", "python3", built(image), "-c", script)
    output = docker("run", "--rm", "--network", "none", *EXPECTED[image].options, *python)
    assert output.splitlines()[-1] == "[] False"


def test_the_debug_image_waits_and_does_not_run_flask(built):
    with container(built("todo-app:debug"), *EXPECTED["todo-app:debug"].options) as waiting:
        assert "flask" not in docker("top", waiting.id)
        assert waiting.uids() == {APP}
        code, seconds = waiting.stop()
        assert code in {0, 143}
        assert seconds < 3


def test_each_fastapi_task_makes_the_image_smaller(built, engine):
    def size(name: str) -> int:
        return engine.size(built(name))

    assert size("base-image-fastapi-ubuntu-fat:test") > size("base-image-fastapi-ubuntu:test")
    assert size("base-image-fastapi-fat:test") > size("base-image-fastapi:dev")
