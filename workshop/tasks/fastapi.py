"""What the tasks on the FastAPI application share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.checks import (
    leaves_nothing,
    listens_on_all_interfaces,
    returns_expected_response,
    server_starts,
)
from workshop.model import Check, Failed, Recipe, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.analysis.container.app import Run
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source

FOLDER = "services/fastapi"
WITHHELD = ("Dockerfile*", "README.md", "task-4*.toml", "tests/test_pins.py")
PORT = 8000
PINS = {"fastapi": "0.78.0", "sqlalchemy": "1.4.36", "alembic": "1.7.7", "uvicorn": "0.17.6"}
# What uvicorn[standard] brings on Linux. Source: the metadata of uvicorn 0.17.6.
EXTRAS = ("httptools", "python-dotenv", "pyyaml", "uvloop", "watchgod", "websockets")

_ENTRY = "entry"
# A server that should not have started ends at once, and nobody has to wait for it.
_NO_SERVER = {"UVICORN_LOG_LEVEL": "no-such-level"}


def recipes(file: str, *words: str) -> tuple[Recipe, Recipe]:
    """The application's image, run as it is, and with other `words` after its name."""
    return (
        Recipe(dockerfile=file, port=PORT, edit="app/main.py"),
        Recipe(_ENTRY, dockerfile=file, command=words, environment=_NO_SERVER),
    )


def serves(lesson: str) -> tuple[Check, ...]:
    """The application answers."""
    return (
        server_starts(PORT, lesson),
        listens_on_all_interfaces(PORT, lesson),
        returns_expected_response(PORT, "/", "Hello World", lesson),
    )


def copies_whole_folder(lesson: str) -> Check:
    """The folder was copied, and not a part of it."""

    @check(
        points=1,
        lesson=lesson,
        blame=("COPY", "ADD"),
        why="A container sees what was copied into its image, and nothing of your folder.",
        hint="COPY the folder after WORKDIR, and look whether .dockerignore leaves too much out.",
    )
    def copies_whole_folder(image: Image) -> None:
        """The whole folder is in the working folder."""
        for path in ("app/main.py", "pyproject.toml"):
            whole = f"{image.workdir.strip('/')}/{path}"
            if whole not in image.tree:
                raise Failed(f"/{whole} is not in the image", f"/{whole} in the image")

    return copies_whole_folder


def entry(lesson: str, program: str, words: str, reached: str) -> Check:
    """What follows the image's name, here `words`, reaches `program`, which says `reached`."""

    def said(source: Source) -> None:
        if source.final().entrypoint is None:
            raise Failed("no ENTRYPOINT", f"an ENTRYPOINT of {program}")

    @check(
        points=2,
        lesson=lesson,
        name="entrypoint-receives-arguments",
        title=f"What follows the image's name is handed to {program}",
        blame=("ENTRYPOINT",),
        text=said,
        why="ENTRYPOINT is the program; what stands after the image's name takes CMD's place.",
        hint='Write ENTRYPOINT as a list: ENTRYPOINT ["program"]. Else a shell keeps the words.',
    )
    def entrypoint_receives_arguments(run: Run) -> None:
        if not re.search(reached, run.output):
            actual = f"docker run IMAGE {words} executes: {run.command}"
            raise Failed(actual, f"{program} {words}")

    return entrypoint_receives_arguments._replace(of=_ENTRY)


def command(lesson: str, words: str) -> Check:
    """CMD says what to run where nothing else is asked for: it begins with these words."""
    example = f"{words} --host 0.0.0.0 --port {PORT}"

    def said(source: Source) -> None:
        if source.final().cmd is None:
            raise Failed("no CMD", f"CMD of {example}")

    @check(
        points=1,
        lesson=lesson,
        name="sets-cmd",
        title=f"CMD says what to run: {words}",
        blame=("CMD",),
        text=said,
        why="CMD holds what is run where nothing stands after the image's name.",
        hint=f"Write CMD as a list, each word for itself, of: {example}",
    )
    def command(image: Image) -> None:
        text = " ".join(image.cmd)
        if not all(word in text for word in words.split()):
            raise Failed(f"CMD of {text}" if text else "no CMD", f"CMD of {example}")

    return command


def no_package_lists(lesson: str) -> Check:
    """apt's lists and archives were removed where they were fetched."""
    return leaves_nothing(
        "no-package-lists",
        "No layer holds apt's package lists",
        r"^var/(lib/apt/lists|cache/apt/archives)/",
        lesson,
        "End the RUN that says apt-get update with: && rm -rf /var/lib/apt/lists/*",
        points=2,
    )


def no_pip_cache(lesson: str) -> Check:
    """pip kept no copies of what it installed."""
    return leaves_nothing(
        "no-pip-cache",
        "No layer holds pip's cache",
        r"(^|/)\.cache/(pip|uv)/",
        lesson,
        "Give each pip install the flag --no-cache-dir.",
        points=2,
    )


def steps(image: Image) -> Iterator[tuple[int, str]]:
    """The learner's own layers, each with the instruction that made it, on one line a command."""
    for step in image.history:
        if step.layer in image.own and step.layer is not None:
            yield step.layer, re.sub(r"\\\n", " ", step.created_by)
