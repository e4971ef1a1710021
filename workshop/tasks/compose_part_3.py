"""The compose file of part 3: three services that print a message and exit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.analysis.container import stack_plan
from workshop.checks import dockerfile
from workshop.checks.compose import (
    no_forbidden_options,
    require_running,
    services_start,
    valid_compose_file,
)
from workshop.model import Check, Failed, Task, check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workshop.analysis.compose import Service
    from workshop.analysis.container.stack import Stack
    from workshop.analysis.source import Source

FILE = "docker-compose.part-3.yml"
FOLDER = "services/part-3"
IMAGE = "poetry-ws-part-3"
# The message that each service prints.
MESSAGES = {
    "baby-steps": "somenergia.coop",
    "basic-python": "somenergia.coop",
    "python-poetry": "Greetings from somenergia.coop!",
}


def _present(source: Source) -> Iterator[tuple[str, Service]]:
    """Yield those of the three services that the file defines."""
    services = stack_plan.read_valid(source).services
    return ((name, services[name]) for name in MESSAGES if name in services)


def _missing(name: str, services: Iterable[str]) -> Failed:
    found = ", ".join(services) or "none"
    return Failed(f"services: {found}", f"a service named {name}", line=1)


@check(
    points=1,
    why="docker compose run NAME looks up the service by its name under services.",
    hint="Under services:, indent each name by two spaces and end it with a colon.",
)
def has_three_services(source: Source) -> None:
    """The services are named baby-steps, basic-python and python-poetry."""
    services = stack_plan.read_valid(source).services
    for name in MESSAGES:
        if name not in services:
            raise _missing(name, services)


@check(
    points=2,
    why="COPY reads files from the build folder, so the Dockerfile can fail in another folder.",
    hint=f"Write build: {FOLDER}/NAME, the folder that contains the Dockerfile.",
)
def builds_from_service_folder(source: Source) -> None:
    """Each service is built from its own folder."""
    for name, service in _present(source):
        expected = f"build: {FOLDER}/{name}"
        if service.build is None:
            raise Failed(f"{name} has no build", expected, line=service.line)
        if service.build.context != f"{FOLDER}/{name}":
            actual = f"{name} is built from {service.build.context}"
            raise Failed(actual, expected, line=service.build.line)


@check(
    points=2,
    why="docker run and docker compose push find an image by its name.",
    hint=f"image: {IMAGE}-NAME:latest; a registry variable needs a default: ${{A:-b}}.",
)
def names_images(source: Source) -> None:
    """Each image is named poetry-ws-part-3-NAME, with or without a registry."""
    for name, service in _present(source):
        expected = f"image: {IMAGE}-{name}:latest"
        # A registry and its folders may precede the name; a tag or digest may follow it.
        if not re.fullmatch(rf"(?:[\w.:-]+/)*{IMAGE}-{name}(?:[:@].+)?", service.image):
            actual = f"{name} has the image {service.image or '(none)'}"
            raise Failed(actual, expected, line=service.line)


def prints(name: str, message: str) -> Check:
    """Require that a service prints its message and ends with exit code 0."""

    @check(
        points=2,
        name=f"{name}-prints-message",
        title=f"{name} prints {message}",
        why="A container runs one command, and exit code 0 shows that the command succeeded.",
        hint=f"Run docker compose -f {FILE} run --rm --build {name}",
    )
    def prints_message(stack: Stack) -> None:
        services = stack.plan.compose.services
        if name not in services:
            raise _missing(name, services)
        require_running(stack, name)
        done = stack.run(name)
        if done.code:
            raise stack.ended(name, "exit code 0")
        # A narrow speech bubble breaks the message anywhere.
        if "".join(message.split()) not in re.sub(r"[\s|/\\<>]", "", done.output):
            raise Failed(f"{name} ended{stack.last_output(name)}", message, line=stack.line(name))

    return prints_message


TASK = Task(
    "compose-part-3",
    "one compose file for the three programs of part 3",
    "part-3/compose",
    folder=".",
    only=(FOLDER,),
    answer=(FILE,),
    compose=FILE,
    recipes=(),
    already_met=(
        "files-exist",
        "valid-compose-file",
        "no-forbidden-options",
        "builds-from-service-folder",
        "names-images",
    ),
    checks=(
        dockerfile.files_exist(FILE),
        valid_compose_file,
        no_forbidden_options,
        has_three_services,
        builds_from_service_folder,
        names_images,
        services_start("The images build, and docker compose starts their containers"),
        *(prints(name, message) for name, message in MESSAGES.items()),
    ),
)
