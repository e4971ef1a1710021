"""Part 3's compose file: three services that say something and end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.analysis.container import stack_plan
from workshop.checks import writes
from workshop.checks.compose import asks_for_nothing_refused, can_be_read, comes_up, running
from workshop.model import Check, Failed, Task, check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workshop.analysis.compose import Service
    from workshop.analysis.container.stack import Stack
    from workshop.analysis.source import Source

LESSON = "part-3/compose"
FILE = "docker-compose.part-3.yml"
FOLDER = "services/part-3"
IMAGE = "poetry-ws-part-3"
# What each service has to say, whatever animal says it.
SAYINGS = {
    "baby-steps": "somenergia.coop",
    "basic-python": "somenergia.coop",
    "python-poetry": "Greetings from somenergia.coop!",
}


def _there(source: Source) -> Iterator[tuple[str, Service]]:
    """The three services, as far as they are there."""
    services = stack_plan.read_valid(source).services
    return ((name, services[name]) for name in SAYINGS if name in services)


def _missing(name: str, services: Iterable[str]) -> Failed:
    found = ", ".join(services) or "none"
    return Failed(f"services: {found}", f"a service called {name}", line=1)


@check(
    points=1,
    lesson=LESSON,
    why="docker compose run NAME finds a service by the name that stands under services.",
    hint="Under services:, indent each name by two spaces and end it with a colon.",
)
def has_the_three_services(source: Source) -> None:
    """The services are called baby-steps, basic-python and python-poetry."""
    services = stack_plan.read_valid(source).services
    for name in SAYINGS:
        if name not in services:
            raise _missing(name, services)


@check(
    points=2,
    lesson=LESSON,
    why="COPY takes files from the folder that build names, so the same Dockerfile may fail there.",
    hint=f"Write build: {FOLDER}/NAME, the folder that holds the Dockerfile.",
)
def builds_from_its_own_folder(source: Source) -> None:
    """Each service is built from its own folder."""
    for name, service in _there(source):
        expected = f"build: {FOLDER}/{name}"
        if service.build is None:
            raise Failed(f"{name} has no build", expected, line=service.line)
        if service.build.context != f"{FOLDER}/{name}":
            actual = f"{name} is built from {service.build.context}"
            raise Failed(actual, expected, line=service.build.line)


@check(
    points=2,
    lesson=LESSON,
    why="The name is what docker run and docker compose push find the image by.",
    hint=f"image: {IMAGE}-NAME:latest; a variable for the registry needs a default: ${{A:-b}}.",
)
def names_its_images(source: Source) -> None:
    """Each image is called poetry-ws-part-3-NAME, after a registry or not."""
    for name, service in _there(source):
        expected = f"image: {IMAGE}-{name}:latest"
        # A registry and its folders may stand in front, a tag or digest behind.
        if not re.fullmatch(rf"(?:[\w.:-]+/)*{IMAGE}-{name}(?:[:@].+)?", service.image):
            actual = f"{name} has the image {service.image or '(none)'}"
            raise Failed(actual, expected, line=service.line)


def says(name: str, words: str) -> Check:
    """The service prints its saying and ends well."""

    @check(
        points=2,
        lesson=LESSON,
        name=f"{name}-says-it",
        title=f"{name} says {words}",
        why="A container runs one command, and has done its work when that ends well.",
        hint=f"Try it: docker compose -f {FILE} run --rm --build {name}",
    )
    def says_it(stack: Stack) -> None:
        if name not in stack.plan.compose.services:
            raise _missing(name, stack.plan.compose.services)
        running(stack, name)
        done = stack.run(name)
        if done.code:
            raise stack.ended(name, "exit code 0")
        # A bubble may break the words wherever it is narrow.
        if "".join(words.split()) not in re.sub(r"[\s|/\\<>]", "", done.output):
            raise Failed(f"{name} ended{stack.last_output(name)}", words, line=stack.line(name))

    return says_it


TASK = Task(
    "compose-part-3",
    "one compose file for the three programs of part 3",
    LESSON,
    folder=".",
    only=(FOLDER,),
    answer=(FILE,),
    compose=FILE,
    recipes=(),
    checks=(
        writes(FILE, lesson=LESSON),
        can_be_read(LESSON),
        asks_for_nothing_refused(LESSON),
        has_the_three_services,
        builds_from_its_own_folder,
        names_its_images,
        comes_up(LESSON, "The images can be built, and docker compose starts their containers"),
        *(says(name, words) for name, words in SAYINGS.items()),
    ),
)
