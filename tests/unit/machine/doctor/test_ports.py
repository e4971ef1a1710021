"""The doctor names the ports that are in use, and by whom."""

from __future__ import annotations

import pytest
from fakes import docker, subject

from workshop.machine.doctor import ports
from workshop.machine.doctor.finding import State
from workshop.stack import settings
from workshop.stack.images import WEB

from .web import occupied


@pytest.fixture
def root(tmp_path):
    """A checkout whose `.env` names a free port for the first service."""
    with occupied() as port:
        pass
    text = f"COMPOSE_PROJECT_NAME=workshop-abcdef\n{WEB[0].variable}={port}\nA=1\n"
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    return tmp_path


def check(function, root, containers=""):
    engine, _ = docker({"docker ps": containers})
    (found,) = function(subject(engine, root))
    return found


def test_free_ports_are_ok(root):
    assert check(ports.check_service_ports, root).state is State.OK


def test_an_occupied_port_is_a_problem_and_the_repair_moves_it(root):
    before = settings.read_ports(root)[WEB[0]]
    with occupied(before):
        found = check(ports.check_service_ports, root)
        assert found.state is State.PROBLEM
        assert found.found == f"{before} ({WEB[0].service}): another program uses it"
        assert WEB[0].variable in found.fix
        found.repair.run()
        assert check(ports.check_service_ports, root).state is State.OK
        assert settings.read_ports(root)[WEB[0]] != before
    assert "\nA=1\n" in (root / ".env").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("project", "state"), [("workshop-abcdef", State.OK), ("other", State.PROBLEM)]
)
def test_a_container_of_this_checkout_may_use_its_port(project, state, root):
    with occupied(settings.read_ports(root)[WEB[0]]):
        found = check(ports.check_service_ports, root, f"web-1\t{project}\n")
    assert found.state is state
    assert ("the container web-1 uses it" in found.found) is (state is State.PROBLEM)


def test_without_settings_make_up_picks_free_ports(tmp_path):
    assert check(ports.check_service_ports, tmp_path).state is State.OK


def test_a_port_that_a_lesson_publishes_should_be_free(tmp_path, monkeypatch):
    with occupied() as port:
        web = WEB[0].__class__("web", "WEB_PORT", port)
        monkeypatch.setattr(ports, "WEB", (web,))
        found = check(ports.check_lesson_ports, tmp_path, "other-1\t\n")
    assert (found.state, found.found) == (
        State.WARNING,
        f"{port}: the container other-1 uses it",
    )
    assert check(ports.check_lesson_ports, tmp_path).state is State.OK


def test_a_broken_settings_file_is_a_problem(root):
    (root / ".env").write_text('KEY="quoted"\n', encoding="utf-8")
    found = check(ports.check_settings, root)
    assert (found.state, found.thing) == (State.PROBLEM, ".env, line 1")
