"""Basic Python: a package from requirements.txt in an official Python image."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.checks import config, content, dockerfile, program
from workshop.model import Failed, Recipe, Task, check

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.analysis.container.app import Run
    from workshop.analysis.source import Source

FILE = "Dockerfile"
REQUIREMENTS = "requirements.txt"
MESSAGE = "somenergia.coop"
OTHER = "other"
COMMAND = ("cowsay", "-c", "tux", "-t", "hello")

# An exact version or a URL. Source: PEP 440 and PEP 508.
_PINNED = re.compile(r"===?\s*[^\s*,;]+\s*(?:;|--|$)|@\s*\S+:")


@check(
    points=1,
    why="An unpinned package can change with any release.",
    hint=f"Write NAME==VERSION on each line of {REQUIREMENTS}: cowsay==6.1",
)
def pins_packages(source: Source) -> None:
    """requirements.txt pins every package."""
    text = source.read(REQUIREMENTS).replace("\r", "").replace("\\\n", "  ")
    for line in text.splitlines():
        package = re.sub(r"(^|\s)#.*", "", line).strip()
        if package and not package.startswith("-") and not _PINNED.search(package):
            actual = f"{REQUIREMENTS} contains {package}"
            raise Failed(actual, "NAME==VERSION on each line", file=REQUIREMENTS)


def _prints(expected: str) -> Callable[[Run], None]:
    def judge(run: Run) -> None:
        if (message := program.read_speech_bubble(run).words) != expected:
            raise Failed(f"the message is: {message}", expected)

    return judge


TASK = Task(
    "basic-python",
    "install a Python package from requirements.txt",
    "part-3/basic-python",
    folder="services/part-3/basic-python",
    answer=(FILE, REQUIREMENTS),
    withheld=("README.md", ".dockerignore"),
    recipes=(Recipe(), Recipe(OTHER, command=COMMAND)),
    already_met=(
        "builds",
        "contains-no-secrets",
        "prints-message",
    ),
    checks=(
        dockerfile.files_exist(FILE, REQUIREMENTS),
        pins_packages,
        dockerfile.base_image("python", tag="slim", variant="slim variant"),
        dockerfile.copies(
            REQUIREMENTS,
            why="People and tools can read and update a requirements file, but not names in a RUN.",
            hint=f"COPY {REQUIREMENTS} into the image, then RUN pip install -r {REQUIREMENTS}",
        ),
        config.builds,
        content.installs({"cowsay": "6.1"}, points=2),
        content.contains_no_secrets._replace(points=1),
        program.prints(
            _prints(MESSAGE),
            title=f"Prints {MESSAGE}",
            hint=f'CMD ["cowsay", "-t", "{MESSAGE}"]: -t sets the message, -c the character',
        ),
        program.command_can_be_overridden(
            _prints("hello"),
            COMMAND,
            prints="hello",
            hint="Put the whole command into CMD, without ENTRYPOINT.",
            of=OTHER,
        ),
    ),
)
