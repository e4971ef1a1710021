"""Compose files for tests."""

from __future__ import annotations

from workshop.analysis.compose import Compose, Service, read

KIT_FILES = ("docker-compose.yml", "docker-compose.debug.yml", "docker-compose.part-3.yml")
VARIABLES = {"SET": "set", "EMPTY": "", "PORT": "8123", "YES": "yes", "DOLLAR": "a$b"}


def read_web(body: str, environment: dict[str, str] | None = None) -> Compose:
    """Read a file with one service, `web`, with this body."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return read(f"services:\n  web:\n{lines}\n", environment or {})


def valid_web(body: str) -> Service:
    """Read the service `web` with this body, and assert that it has no problems or refusals."""
    compose = read_web(body)
    assert (compose.problems, compose.refusals) == ((), ())
    return compose.services["web"]
