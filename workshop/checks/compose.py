"""Requirements of every compose file: each takes a line to use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.analysis.container import stack_plan
from workshop.model import Check, Failed, check

if TYPE_CHECKING:
    from workshop.analysis.container.stack import Stack
    from workshop.analysis.source import Source


def can_be_read(lesson: str) -> Check:
    """The file is one that docker compose reads."""

    @check(
        points=1,
        lesson=lesson,
        why="In YAML the indentation says what belongs to what, and a mistyped key is an error.",
        hint="Try: docker compose -f FILE config. Leave version: out, which is obsolete.",
    )
    def can_be_read(source: Source) -> None:
        """docker compose can read the file."""
        stack_plan.read_valid(source)

    return can_be_read


def asks_for_nothing_refused(lesson: str) -> Check:
    """The file asks for nothing that the kit refuses to run."""

    @check(
        points=1,
        lesson=lesson,
        why="A compose file can open the whole machine to a container: whoever runs it trusts it.",
        hint="Leave it out: this exercise needs the folder and ordinary containers alone.",
    )
    def asks_for_nothing_refused(source: Source) -> None:
        """The file asks for nothing outside its folder and its containers."""
        stack_plan.check_harmless(stack_plan.read(source))

    return asks_for_nothing_refused


def comes_up(lesson: str, title: str = "docker compose up starts every service") -> Check:
    """The images are built, and every container starts."""

    @check(
        points=2,
        lesson=lesson,
        title=title,
        why="One command starts it all, on your machine and on everyone else's.",
        hint="Run docker compose up --build by hand, and read the first line that says error.",
    )
    def comes_up(stack: Stack) -> None:
        pass

    return comes_up


def running(stack: Stack, service: str) -> None:
    """`Failed` where `docker compose up` leaves a service out."""
    if service not in stack.services:
        actual = f"{service} has profiles, so docker compose up leaves it out"
        raise Failed(actual, f"{service} without profiles", line=stack.line(service))
