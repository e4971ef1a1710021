"""Requirements of every compose file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.analysis.container import stack_plan
from workshop.model import Check, Failed, check

if TYPE_CHECKING:
    from workshop.analysis.container.stack import Stack
    from workshop.analysis.source import Source


@check(
    points=1,
    why="In YAML, indentation defines the structure, and Compose rejects unknown keys.",
    hint="Run docker compose -f FILE config. Leave out version:, which is obsolete.",
)
def valid_compose_file(source: Source) -> None:
    """docker compose can read the file."""
    stack_plan.read_valid(source)


@check(
    points=1,
    why="A compose file can give a container access to the whole machine.",
    hint="Remove the option: this exercise needs only its folder and ordinary containers.",
)
def no_forbidden_options(source: Source) -> None:
    """Uses only files in its own folder and no host access."""
    stack_plan.check_harmless(stack_plan.read(source))


def services_start(title: str = "docker compose up starts every service") -> Check:
    """Require that the images build and every container starts."""

    @check(
        points=2,
        title=title,
        why="One command starts every service, on your machine and on any other.",
        hint="Run docker compose up --build, and read the first line that contains error.",
    )
    def services_start(stack: Stack) -> None:
        pass

    return services_start


def require_running(stack: Stack, service: str) -> None:
    """Raise `Failed` if `docker compose up` does not start a service."""
    if service not in stack.services:
        actual = f"{service} has profiles, so docker compose up does not start it"
        raise Failed(actual, f"{service} without profiles", line=stack.line(service))
