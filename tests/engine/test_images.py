"""Every image: who runs in it, what it carries, what it says, how it stops."""

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
    """What should be true of one image."""

    uid: int = APP
    port: int = 0
    says: str = ""
    options: tuple[str, ...] = ()
    carries: frozenset[str] = frozenset()


HELLO = "Hello World"
SECONDS_TO_STOP = 3
POETRY, LISTS, PIP_CACHE, TESTS = "Poetry", "apt lists", "pip cache", "tests"
EXPECTED = {
    # Its lesson opens a shell in it and meets root.
    "poetry-ws-part-3-baby-steps:latest": Expected(ROOT_USER, says="< somenergia.coop >"),
    "poetry-ws-part-3-basic-python:latest": Expected(says="| somenergia.coop |"),
    "poetry-ws-part-3-python-poetry:latest": Expected(says="| Greetings from somenergia.coop! |"),
    "degrees_api:1.0": Expected(port=5000),
    "todo-app:dev": Expected(port=8000, options=("--env", KNOB)),
    "todo-app:prod": Expected(port=8000, options=("--env", KNOB)),
    "todo-app:debug": Expected(options=("--env", KNOB)),
    "todo-app:test": Expected(carries=frozenset({TESTS})),
    "deathstar:latest": Expected(port=8080),
    # The tasks before the fifth run as root, as their lessons say; the first is fat on purpose,
    # and task 3 has Poetry start the server.
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

# What an image should not carry, by the path of a file that betrays it.
BAGGAGE = {
    POETRY: r"(^|/)bin/poetry$",
    LISTS: r"^var/lib/apt/lists/.*(Packages|Release)",
    PIP_CACHE: r"(^|/)\.cache/(pip|pypoetry|uv)/.",
    TESTS: r"^(app|server|home/[^/]+/server)/(?!\.venv/)(.*/)?tests?/.*\.py$",
    "git": r"(^|/)\.git/",
    "secrets": r"(^|/)\.env$",
    "bytecode of the source": r"^(app|server)/(?!\.venv/).*\.pyc$",
}


def test_every_image_of_the_kit_is_looked_at():
    assert set(EXPECTED) == {image.name for image in IMAGES + EXTRA_IMAGES}


@pytest.mark.parametrize("image", EXPECTED)
def test_it_carries_what_its_lesson_says_and_no_more(built, image):
    files = files_in(built(image))
    carried = {name for name, sign in BAGGAGE.items() if any(re.search(sign, f) for f in files)}
    assert carried == EXPECTED[image].carries


@pytest.mark.parametrize("image", SAYING)
def test_it_says_what_its_lesson_shows(built, image):
    assert SAYING[image].says in docker("run", "--rm", "--network", "none", built(image))


@pytest.mark.parametrize("image", SAYING)
def test_a_command_runs_as_the_user_it_should(built, image):
    with container(built(image), command=("sleep", "60")) as running:
        assert running.uids() == {SAYING[image].uid}


@pytest.mark.parametrize("image", WEB)
def test_a_server_answers_as_the_user_it_should_and_stops_when_told(built, image):
    expected = WEB[image]
    options = ("--publish", f"127.0.0.1::{expected.port}", *expected.options)
    # Twice at most: a busy machine may keep one that hears the signal from ending in time.
    for _ in range(2):
        with container(built(image), *options) as server:
            assert expected.says in server.answers(expected.port).text
            assert server.uids() == {expected.uid}
            code, seconds = server.stop()
            assert code in {0, 143}, server.logs()
        if seconds < SECONDS_TO_STOP:
            return
    pytest.fail(f"it took {seconds:.1f} s to stop, twice; {SECONDS_TO_STOP} s are allowed")


@pytest.mark.parametrize("image", WEB)
def test_a_server_declares_its_port_and_starts_without_a_shell(built, image):
    config = config_of(built(image))
    assert f"{WEB[image].port}/tcp" in config["ExposedPorts"]
    words = [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
    assert words[0] not in {"sh", "bash", "/bin/sh", "/bin/bash"}


@pytest.mark.parametrize("image", [name for name in EXPECTED if EXPECTED[name].uid != ROOT_USER])
def test_its_files_are_not_its_users_to_change(built, image):
    script = (
        "import os; home = os.getcwd(); "
        'print([d for d, *_ in os.walk(home) if os.access(d, os.W_OK)], os.access("/etc", os.W_OK))'
    )
    python = ("--entrypoint", "python3", built(image), "-c", script)
    said = docker("run", "--rm", "--network", "none", *EXPECTED[image].options, *python)
    assert said.splitlines()[-1] == "[] False"


def test_the_debug_image_waits_and_does_not_run_flask(built):
    with container(built("todo-app:debug"), *EXPECTED["todo-app:debug"].options) as waiting:
        assert "flask" not in docker("top", waiting.id)
        assert waiting.uids() == {APP}
        code, seconds = waiting.stop()
        assert code in {0, 143}
        assert seconds < 3


def test_the_sizes_of_the_fastapi_tasks_tell_their_story(built, engine):
    def size(name: str) -> int:
        return engine.size(built(name))

    assert size("base-image-fastapi-ubuntu-fat:test") > size("base-image-fastapi-ubuntu:test")
    assert size("base-image-fastapi-fat:test") > size("base-image-fastapi:dev")
