"""The task that both parts of task 3 share: a Python base image, and Poetry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.checks import config, content, dockerfile
from workshop.model import Failed, Task, check
from workshop.tasks import fastapi

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image

_NAMES = "|".join(fastapi.PINS)
_PIP_INSTALL = re.compile(
    rf"""\bpip3?(?:\.\d+)?['",]*\s[^&|;\n]*\binstall\b[^&|;\n]*[\s'"](?:{_NAMES})(?![\w./-])""",
    re.IGNORECASE,
)
# Only Poetry prints this for a missing program; its older versions raise an error.
_MISSING = "no-such-program"
_MISSING_OUTPUT = f"Command not found: {_MISSING}|FileNotFoundError"
_PYTHON = re.compile(r"var/lib/dpkg/info/python3(?:\.\d+)?(?:-minimal|-pip)?(?::\w+)?\.list")


@check(
    points=2,
    why="Two package lists soon differ; poetry.lock alone contains all packages and versions.",
    hint="Copy pyproject.toml and poetry.lock, RUN poetry install --only main --no-root, "
    "and remove the packages from pip install.",
)
def installs_with_poetry(image: Image) -> None:
    """Poetry installs the packages from poetry.lock, not pip."""
    steps = dict(fastapi.steps(image))
    expected = "poetry install, and no package of the application in a pip install"
    found = image.packages()
    layers = {image.layer_of(path) for name in fastapi.PINS for _, _, path in found.get(name, ())}
    if not layers:
        raise Failed("none of the application's packages is installed", expected)
    for layer in sorted(layer for layer in layers if layer is not None):
        if _PIP_INSTALL.search(steps.get(layer, "")):
            raise Failed("pip install of the application's packages", expected, layer=layer)


@check(
    points=1,
    why="The python image includes Python and pip: a second pair wastes space and causes mix-ups.",
    hint="Remove python3 and python3-pip from apt-get install.",
)
def no_second_python(image: Image) -> None:
    """apt installs no second Python or pip."""
    for number in image.own:
        for entry in image.layers[number].entries:
            if _PYTHON.fullmatch(entry.path):
                package = entry.path.rpartition("/")[2].removesuffix(".list")
                actual = f"the apt package {package}"
                raise Failed(actual, "only the base image's Python", layer=number)


# The checks that an image without Poetry passes too: that of task 2.
WITHOUT_POETRY = (
    "files-exist",
    "builds",
    "installs-packages",
    "no-development-packages",
    "no-pip-cache",
    "no-package-lists",
    "no-debian-frontend",
    "sets-pythonunbuffered",
    "working-directory",
    "copies-whole-folder",
    "contains-no-secrets",
    "exposes-8000",
    *(check.id for check in fastapi.SERVER_CHECKS),
)
WITH_POETRY = (
    *WITHOUT_POETRY,
    "no-second-python",
    "installs-with-poetry",
    "entrypoint-receives-arguments",
    "sets-cmd",
)


def task(name: str, title: str, *, tag: str, variant: str, already_met: tuple[str, ...]) -> Task:
    """Return one part of the task: the parts differ in their base image."""
    file = f"Dockerfile-{name}"
    return Task(
        name,
        title,
        f"fastapi/{name}",
        folder=fastapi.FOLDER,
        answer=(file,),
        withheld=fastapi.WITHHELD,
        recipes=fastapi.recipes(file, _MISSING),
        already_met=already_met,
        checks=(
            dockerfile.files_exist(file),
            dockerfile.base_image("python", tag=tag, variant=variant, points=2),
            config.builds,
            no_second_python,
            installs_with_poetry,
            content.installs(fastapi.PINS_AND_EXTRAS),
            content.no_development_packages("pytest", points=2),
            fastapi.no_pip_cache,
            fastapi.no_package_lists,
            config.build_only_variable("DEBIAN_FRONTEND"),
            config.sets_variable("PYTHONUNBUFFERED"),
            config.working_directory("/server"),
            fastapi.copies_whole_folder,
            content.contains_no_secrets,
            config.exposes(fastapi.PORT),
            fastapi.entrypoint_receives_arguments("poetry run", _MISSING, _MISSING_OUTPUT),
            fastapi.sets_cmd("uvicorn app.main:app"),
            *fastapi.SERVER_CHECKS,
        ),
    )
