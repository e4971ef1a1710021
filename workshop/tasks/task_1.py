"""Task 1: the FastAPI application on a plain Ubuntu image, layer by layer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.analysis import unwanted_files
from workshop.checks import config, content, dockerfile
from workshop.model import Failed, Task, check
from workshop.tasks import fastapi

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image

FILE = "Dockerfile-task-1"
UNWANTED_FILES = ("Dockerfile-task-2", "Makefile", "README.md", ".pytest_cache/CACHEDIR.TAG")

_APT_INSTALL = re.compile(r"\bapt(?:-get)?\b[^&|;\n]*\binstall\b")
_NONINTERACTIVE = "DEBIAN_FRONTEND=noninteractive"


@check(
    points=1,
    why="A package that asks a question stops the build, because nobody can answer.",
    hint="Write ARG DEBIAN_FRONTEND=noninteractive after FROM, before the first RUN.",
)
def apt_is_noninteractive(image: Image) -> None:
    """apt-get runs with DEBIAN_FRONTEND=noninteractive."""
    expected = f"every apt-get install with {_NONINTERACTIVE}"
    runs = [(layer, step) for layer, step in fastapi.steps(image) if step.startswith("RUN")]
    in_env = image.env.get("DEBIAN_FRONTEND") == "noninteractive"
    if not in_env and not any(_NONINTERACTIVE in step for _, step in runs):
        raise Failed("no RUN has DEBIAN_FRONTEND", expected)
    for layer, step in runs:
        if not in_env and _APT_INSTALL.search(step) and _NONINTERACTIVE not in step:
            raise Failed("an apt-get install without DEBIAN_FRONTEND", expected, layer=layer)


@check(
    points=1,
    why="The Ubuntu image is almost empty: Python and pip are not part of it.",
    hint="RUN apt-get -y update, then apt-get -y install python3, then python3-pip.",
)
def installs_python_and_pip(image: Image) -> None:
    """Python and pip are installed."""
    for program in ("python3", "pip"):
        if not image.find(f"**/bin/{program}*"):
            raise Failed(f"no program named {program}", f"{program} in the image")


@check(
    points=1,
    why="The extra [standard] adds a faster event loop, WebSockets and more to uvicorn.",
    hint='Quote the name, so that the shell does not change it: "uvicorn[standard]==VERSION".',
)
def installs_standard_extras(image: Image) -> None:
    """uvicorn is installed with its standard extras."""
    found = image.packages()
    if missing := [name for name in fastapi.EXTRAS if name not in found]:
        raise Failed(f"not installed: {', '.join(missing)}", "the packages of uvicorn[standard]")


@check(
    points=2,
    why="Docker reads only the file .dockerignore (lower case), and its patterns are "
    "case-sensitive.",
    hint="List the files in .dockerignore under their exact names, with * for any characters.",
)
def no_unwanted_files(image: Image) -> None:
    """The image does not contain Dockerfile*, Makefile, README.md or .pytest*."""
    if kept := unwanted_files.find(image, UNWANTED_FILES):
        names = ", ".join(sorted(kept))
        actual = f"the image contains {names} (the check adds these files to your folder)"
        raise Failed(actual, "these files excluded by .dockerignore", layer=min(kept.values()))


TASK = Task(
    "task-1",
    "put a server into an image, layer by layer",
    "fastapi/task-1",
    folder=fastapi.FOLDER,
    answer=(FILE, ".dockerignore"),
    withheld=fastapi.WITHHELD,
    unwanted_files=UNWANTED_FILES,
    # Task 2: apt lists, recommended packages, the pip cache, and one RUN instead of several.
    taught_later=("DL3009", "DL3015", "DL3042", "DL3059"),
    recipes=fastapi.recipes(FILE, "--version"),
    checks=(
        dockerfile.files_exist(FILE),
        dockerfile.base_image("ubuntu", tag=r"^(?!latest$).", variant="with a release tag"),
        config.builds,
        apt_is_noninteractive,
        config.build_only_variable("DEBIAN_FRONTEND"),
        config.sets_variable("PYTHONUNBUFFERED"),
        installs_python_and_pip,
        content.installs(fastapi.PINS, points=2),
        installs_standard_extras,
        config.working_directory("/server"),
        fastapi.copies_whole_folder,
        content.contains_no_secrets,
        no_unwanted_files,
        config.exposes(fastapi.PORT),
        fastapi.entrypoint_receives_arguments("uvicorn", "--version", r"Running uvicorn \d"),
        fastapi.sets_cmd("app.main:app"),
        *fastapi.SERVER_CHECKS,
    ),
)
