"""Recipes and checks that the tasks on the FastAPI application share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.checks import config, content, server
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
# The packages of uvicorn[standard] on Linux. Source: the metadata of uvicorn 0.17.6.
EXTRAS = ("httptools", "python-dotenv", "pyyaml", "uvloop", "watchgod", "websockets")
PINS_AND_EXTRAS = {**PINS, **dict.fromkeys(EXTRAS, "")}

_ENTRYPOINT = "entry"
# With this setting, a server that starts by mistake exits at once.
_NO_SERVER = {"UVICORN_LOG_LEVEL": "no-such-level"}

SERVER_CHECKS = (
    server.server_starts(PORT),
    server.listens_on_all_interfaces(PORT),
    server.returns_expected_response(PORT, "/", "Hello World"),
)


def recipes(file: str, *arguments: str) -> tuple[Recipe, Recipe]:
    """Return recipes that run the image as it is, and with `arguments` after its name."""
    return (
        Recipe(dockerfile=file, port=PORT, edit="app/main.py"),
        Recipe(_ENTRYPOINT, dockerfile=file, command=arguments, environment=_NO_SERVER),
    )


@check(
    points=1,
    blame=("COPY", "ADD"),
    why="A container sees only the files that were copied into its image.",
    hint="COPY the folder after WORKDIR, and check that .dockerignore does not exclude too much.",
)
def copies_whole_folder(image: Image) -> None:
    """The working directory contains the whole folder."""
    for name in ("app/main.py", "pyproject.toml"):
        path = f"{image.workdir.strip('/')}/{name}"
        if path not in image.tree:
            raise Failed(f"/{path} is not in the image", f"/{path} in the image")


def entrypoint_receives_arguments(program: str, arguments: str, output: str) -> Check:
    """Require that `arguments` after the image name reach `program`.

    The program's output must then match the pattern `output`.
    """

    @check(
        points=2,
        title=f"Arguments after the image name are passed to {program}",
        blame=("ENTRYPOINT",),
        text=config.no_entrypoint(f"an ENTRYPOINT of {program}"),
        why="Arguments after the image name replace CMD and are passed to ENTRYPOINT.",
        hint=f"Write ENTRYPOINT as a list of only {program}, and its default arguments in CMD: a "
        "shell form drops arguments, and a longer list keeps its own.",
    )
    def entrypoint_receives_arguments(run: Run) -> None:
        if not re.search(output, run.output):
            actual = f"docker run IMAGE {arguments} executes: {run.command}"
            raise Failed(actual, f"{program} {arguments}")

    return entrypoint_receives_arguments._replace(of=_ENTRYPOINT)


def sets_cmd(command: str) -> Check:
    """Require that CMD contains every word of `command`."""
    expected = f"CMD {command} --host 0.0.0.0 --port {PORT}"

    def check_text(source: Source) -> None:
        if source.final().cmd is None:
            raise Failed("no CMD", expected)

    @check(
        points=1,
        title=f"CMD runs {command}",
        blame=("CMD",),
        text=check_text,
        why="CMD is the command that a container runs by default.",
        hint=f"Write CMD as a list, with each argument as its own item, of: {expected[4:]}",
    )
    def sets_cmd(image: Image) -> None:
        found = " ".join(image.cmd)
        if not all(word in found for word in command.split()):
            raise Failed(f"CMD {found}" if found else "no CMD", expected)

    return sets_cmd


no_package_lists = content.no_files(
    "no-package-lists",
    "No layer contains apt package lists",
    r"^var/(lib/apt/lists|cache/apt/archives)/",
    "End the RUN that runs apt-get update with: && rm -rf /var/lib/apt/lists/*",
    points=2,
)
no_pip_cache = content.no_files(
    "no-pip-cache",
    "No layer contains the pip cache",
    r"(^|/)\.cache/(pip|uv)/",
    "Add --no-cache-dir to each pip install.",
    points=2,
)


def steps(image: Image) -> Iterator[tuple[int, str]]:
    """Yield the learner's layers and the instructions that created them, each on one line."""
    for step in image.history:
        if step.layer in image.own and step.layer is not None:
            yield step.layer, re.sub(r"\\\n", " ", step.created_by)
