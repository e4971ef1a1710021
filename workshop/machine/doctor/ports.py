"""The ports of the services and of the lessons, and the settings that name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.core.errors import UserError
from workshop.machine.doctor.finding import Finding, Repair, State, from_error, ok
from workshop.stack import settings
from workshop.stack.images import WEB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.machine.doctor.subject import Subject


def check_settings(subject: Subject) -> Iterator[Finding]:
    """Check the two `.env` files, if they exist."""
    try:
        settings.check(subject.root)
    except UserError as error:
        yield from_error(error, wanted="a line that Docker reads as you do")


def check_service_ports(subject: Subject) -> Iterator[Finding]:
    """Check the ports that `make up` uses: those in `.env`, or else the usual ones."""
    thing = "ports of make up"
    ports = settings.read_ports(subject.root)
    if not ports:
        used = ", ".join(str(web.port) for web in WEB if not settings.is_free(web.port))
        yield ok(thing, f"{used} in use: make up picks others" if used else "free")
        return
    own = settings.read_project(subject.root)
    holders = {web: _holder(subject, port, own) for web, port in ports.items()}
    if busy := {web: holder for web, holder in holders.items() if holder}:
        found = "; ".join(f"{ports[web]} ({web.service}): {by} uses it" for web, by in busy.items())
        names = ", ".join(web.variable for web in busy)
        fix = f"Stop that program, or set {names} to a free port in .env"
        action = f"Set {names} to a free port in .env"
        repair = Repair(action, lambda: settings.move_ports(subject.root, [*busy]))
        yield Finding(thing, State.PROBLEM, found, "free ports", fix, repair)
    else:
        yield ok(thing, "free, or in use by these services")


def check_lesson_ports(subject: Subject) -> Iterator[Finding]:
    """Check the ports that the lessons publish."""
    thing = "ports of the lessons"
    holders = {web.lesson_port: _holder(subject, web.lesson_port) for web in WEB}
    found = "; ".join(f"{port}: {holder} uses it" for port, holder in holders.items() if holder)
    if found:
        fix = "Stop that program, or publish another port in the lesson"
        yield Finding(thing, State.WARNING, found, "free ports", fix)
    else:
        yield ok(thing, "free")


def _holder(subject: Subject, port: int, own: str = "") -> str:
    """Return who uses a port; empty if it is free, or a container of the project `own` uses it."""
    if settings.is_free(port):
        return ""
    containers = subject.engine.publishers(port) if subject.info else {}
    if own and own in containers.values():
        return ""
    return f"the container {min(containers)}" if containers else "another program"
