"""Basic Python: a package from a list, installed into an official Python image."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.checks import (
    based_on,
    builds,
    comes_from,
    contains_no_secrets,
    installs,
    says,
    speech_bubble,
    writes,
)
from workshop.model import Failed, Recipe, Task, check

if TYPE_CHECKING:
    from workshop.analysis.container.app import Run
    from workshop.analysis.source import Source

LESSON = "part-3/basic-python"
FILE = "Dockerfile"
LIST = "requirements.txt"
WORDS = "somenergia.coop"
OTHER = "other"

# A version that is written out, or an address. Source: PEP 440 and PEP 508.
_PINNED = re.compile(r"===?\s*[^\s*,;]+\s*(?:;|--|$)|@\s*\S+:")


@check(
    points=1,
    lesson=LESSON,
    why="Without its version, a package is another one next month, and nobody knows why it broke.",
    hint=f"Write NAME==VERSION in each line of {LIST}: cowsay==6.1",
)
def pins_packages(source: Source) -> None:
    """Each package of requirements.txt has its version."""
    text = source.read(LIST).replace("\r", "").replace("\\\n", "  ")
    for line in text.splitlines():
        name = re.sub(r"(^|\s)#.*", "", line).strip()
        if name and not name.startswith("-") and not _PINNED.search(name):
            raise Failed(f"{LIST} has {name}", "NAME==VERSION in each line", file=LIST)


def says_the_words(run: Run) -> None:
    """The words, whoever says them."""
    if (words := speech_bubble(run).words) != WORDS:
        raise Failed(f"the words are: {words}", WORDS)


@check(
    points=2,
    lesson=LESSON,
    name="command-can-be-overridden",
    title="docker run IMAGE cowsay -c tux -t hello says hello",
    blame=("ENTRYPOINT", "CMD"),
    why="What follows the image's name replaces CMD; ENTRYPOINT would stay in front of it.",
    hint="Put the whole command into CMD, without ENTRYPOINT.",
)
def command_can_be_overridden(run: Run) -> None:
    """Another command takes the place of CMD."""
    if (words := speech_bubble(run).words) != "hello":
        raise Failed(f"the words are: {words}", "hello")


TASK = Task(
    "basic-python",
    "install a Python package from a list",
    LESSON,
    folder="services/part-3/basic-python",
    answer=(FILE, LIST),
    withheld=("README.md", ".dockerignore"),
    recipes=(Recipe(), Recipe(OTHER, command=("cowsay", "-c", "tux", "-t", "hello"))),
    checks=(
        writes(FILE, LIST, lesson=LESSON),
        pins_packages,
        based_on("python", LESSON, tag="slim", kind="in its slim variant"),
        comes_from(
            LIST,
            LESSON,
            why="A list is read by people and tools, and can grow; a name in a RUN is forgotten.",
            hint=f"COPY {LIST} into the image, and after that RUN pip install -r {LIST}",
        ),
        builds(LESSON),
        installs({"cowsay": "6.1"}, LESSON, points=2),
        contains_no_secrets(LESSON, points=1),
        says(
            says_the_words,
            LESSON,
            title=f"The program says {WORDS}",
            hint=f'CMD ["cowsay", "-t", "{WORDS}"]: -t is what is said, -c is who says it',
        ),
        command_can_be_overridden._replace(of=OTHER),
    ),
)
