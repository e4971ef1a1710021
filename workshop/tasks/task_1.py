"""Task 1: the FastAPI application on a bare Ubuntu, in as many layers as it takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.analysis import unwanted_files
from workshop.checks import (
    based_on,
    builds,
    environment,
    exposes,
    installs,
    keeps_secrets_out,
    no_environment,
    workdir,
    writes,
)
from workshop.model import Failed, Task, check
from workshop.tasks import fastapi

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image

LESSON = "fastapi/task-1"
FILE = "Dockerfile-task-1"
UNWANTED_FILES = ("Dockerfile-task-2", "Makefile", "README.md", ".pytest_cache/CACHEDIR.TAG")

_APT_INSTALL = re.compile(r"\bapt(?:-get)?\b[^&|;\n]*\binstall\b")
_QUIET = "DEBIAN_FRONTEND=noninteractive"


@check(
    points=1,
    lesson=LESSON,
    why="Nobody is there to answer when a package asks a question in the middle of a build.",
    hint="Write ARG DEBIAN_FRONTEND=noninteractive after FROM, before the first RUN.",
)
def asks_no_questions(image: Image) -> None:
    """apt-get runs with DEBIAN_FRONTEND=noninteractive."""
    runs = [(layer, step) for layer, step in fastapi.steps(image) if step.startswith("RUN")]
    installing = [run for run in runs if _APT_INSTALL.search(run[1])]
    quiet = image.env.get("DEBIAN_FRONTEND") == "noninteractive"
    if not quiet and not any(_QUIET in step for _, step in runs):
        raise Failed("no RUN knows DEBIAN_FRONTEND", f"every apt-get install with {_QUIET}")
    for layer, step in installing:
        if not quiet and _QUIET not in step:
            actual = "an apt-get install that does not know DEBIAN_FRONTEND"
            raise Failed(actual, f"every apt-get install with {_QUIET}", layer=layer)


@check(
    points=1,
    lesson=LESSON,
    why="Ubuntu's image is nearly empty: what the application needs, you install.",
    hint="RUN apt-get -y update, then apt-get -y install python3, then python3-pip.",
)
def has_python_and_pip(image: Image) -> None:
    """Python and pip are installed."""
    for program in ("python3", "pip"):
        if not image.find(f"**/bin/{program}*"):
            raise Failed(f"no program called {program}", f"{program} in the image")


@check(
    points=1,
    lesson=LESSON,
    why="[standard] is an extra: it makes uvicorn bring a faster loop, WebSockets and more.",
    hint='Put the name in quotes, so that the shell leaves it alone: "uvicorn[standard]==VERSION".',
)
def has_the_standard_extras(image: Image) -> None:
    """uvicorn is installed with its standard extras."""
    found = image.packages()
    if missing := [name for name in fastapi.EXTRAS if name not in found]:
        raise Failed(f"{', '.join(missing)} not installed", "what uvicorn[standard] brings")


@check(
    points=2,
    lesson=LESSON,
    why="Docker reads .dockerignore, all in lower case, and tells Readme.md from README.md.",
    hint="List them in a file called .dockerignore, each with its exact name, * for the rest.",
)
def leaves_clutter_out(image: Image) -> None:
    """Dockerfile*, Makefile, README.md and .pytest* stay out of the image."""
    if kept := unwanted_files.find(image, UNWANTED_FILES):
        actual = f"{', '.join(sorted(kept))} from the folder in the image"
        raise Failed(actual, "those files kept out by .dockerignore", layer=min(kept.values()))


TASK = Task(
    "task-1",
    "put a server into an image, layer by layer",
    LESSON,
    folder=fastapi.FOLDER,
    answer=(FILE, ".dockerignore"),
    withheld=fastapi.WITHHELD,
    unwanted_files=UNWANTED_FILES,
    recipes=fastapi.recipes(FILE, "--version"),
    checks=(
        writes(FILE, lesson=LESSON),
        based_on("ubuntu", LESSON, tag=r"^(?!latest$).", kind="of a release that you name"),
        builds(LESSON),
        asks_no_questions,
        no_environment("DEBIAN_FRONTEND", LESSON),
        environment("PYTHONUNBUFFERED", LESSON),
        has_python_and_pip,
        installs(fastapi.PINS, LESSON, points=2),
        has_the_standard_extras,
        workdir("/server", LESSON),
        fastapi.whole_folder(LESSON),
        keeps_secrets_out(LESSON),
        leaves_clutter_out,
        exposes(fastapi.PORT, LESSON),
        fastapi.entry(LESSON, "uvicorn", "--version", r"Running uvicorn \d"),
        fastapi.command(LESSON, "app.main:app"),
        *fastapi.serves(LESSON),
    ),
)
