"""What the two halves of task 3 share: a base image with Python, and Poetry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.checks import (
    based_on,
    builds,
    contains_no_secrets,
    environment,
    exposes,
    installs,
    leaves_out,
    no_environment,
    workdir,
    writes,
)
from workshop.model import Check, Failed, Task, check
from workshop.tasks import fastapi

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image

_NAMES = "|".join(fastapi.PINS)
_BY_PIP = re.compile(
    rf"""\bpip3?(?:\.\d+)?['",]*\s[^&|;\n]*\binstall\b[^&|;\n]*[\s'"](?:{_NAMES})(?![\w./-])""",
    re.IGNORECASE,
)
# What Poetry alone says of a program that it does not find; its older versions raise an error.
_MISSING = "no-such-program"
_REACHED = f"Command not found: {_MISSING}|FileNotFoundError"
_PYTHON = re.compile(r"var/lib/dpkg/info/python3(?:\.\d+)?(?:-minimal|-pip)?(?::\w+)?\.list")


def installs_with_poetry(lesson: str) -> Check:
    """Nobody names the application's packages to pip any more."""

    @check(
        points=2,
        lesson=lesson,
        why="What is listed twice differs sooner or later; poetry.lock has it all, with versions.",
        hint="Copy pyproject.toml and poetry.lock, RUN poetry install --only main --no-root, "
        "and take the packages out of pip install.",
    )
    def installs_with_poetry(image: Image) -> None:
        """The packages come from poetry.lock, and no more from a list for pip."""
        steps = dict(fastapi.steps(image))
        expected = "poetry install, and no package of the application named to pip"
        found = image.packages()
        layers = {
            image.layer_of(path) for name in fastapi.PINS for _, _, path in found.get(name, ())
        }
        if not layers:
            raise Failed("none of the application's packages is installed", expected)
        for layer in sorted(layer for layer in layers if layer is not None):
            if _BY_PIP.search(steps.get(layer, "")):
                raise Failed("pip install of the application's packages", expected, layer=layer)

    return installs_with_poetry


def no_second_python(lesson: str) -> Check:
    """The base image's Python is the only one."""

    @check(
        points=1,
        lesson=lesson,
        why="The python image brings Python and pip: a second pair costs room, and confuses.",
        hint="Take apt-get install of python3 and python3-pip out.",
    )
    def no_second_python(image: Image) -> None:
        """apt installs no second Python or pip."""
        for number in image.own:
            for entry in image.layers[number].entries:
                if _PYTHON.fullmatch(entry.path):
                    name = entry.path.rpartition("/")[2].removesuffix(".list")
                    actual = f"apt's package {name}"
                    raise Failed(actual, "the base image's Python alone", layer=number)

    return no_second_python


def task(name: str, title: str, *, tag: str, kind: str) -> Task:
    """Either half: they differ in their base image."""
    lesson, file = f"fastapi/{name}", f"Dockerfile-{name}"
    return Task(
        name,
        title,
        lesson,
        folder=fastapi.FOLDER,
        answer=(file,),
        withheld=fastapi.WITHHELD,
        recipes=fastapi.recipes(file, _MISSING),
        checks=(
            writes(file, lesson=lesson),
            based_on("python", lesson, tag=tag, kind=kind, points=2),
            builds(lesson),
            no_second_python(lesson),
            installs_with_poetry(lesson),
            installs({**fastapi.PINS, **dict.fromkeys(fastapi.EXTRAS, "")}, lesson),
            leaves_out("pytest", lesson=lesson, points=2),
            fastapi.no_pip_cache(lesson),
            fastapi.no_package_lists(lesson),
            no_environment("DEBIAN_FRONTEND", lesson),
            environment("PYTHONUNBUFFERED", lesson),
            workdir("/server", lesson),
            fastapi.copies_whole_folder(lesson),
            contains_no_secrets(lesson),
            exposes(fastapi.PORT, lesson),
            fastapi.entry(lesson, "poetry run", _MISSING, _REACHED),
            fastapi.command(lesson, "uvicorn app.main:app"),
            *fastapi.serves(lesson),
        ),
    )
