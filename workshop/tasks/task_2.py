"""Task 2: the image of task 1, without what nobody needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.checks import (
    based_on,
    builds,
    caches_dependencies,
    contains_no_secrets,
    environment,
    exposes,
    installs,
    no_environment,
    workdir,
    writes,
)
from workshop.model import Failed, Task, check
from workshop.tasks import fastapi

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source

LESSON = "fastapi/task-2"
FILE = "Dockerfile-task-2"

_INSTALLS = re.compile(
    r"\b(?:apt(?:-get)?|pip3?)\b[^&|;\n]*\binstall\b|\bapt(?:-get)? .*\bupdate\b"
)
# What apt and pip write whenever they install something.
_TRACES = re.compile(
    r"var/lib/dpkg/status|var/lib/apt/lists/.+|.*/(?:site|dist)-packages/[^/]+-info/.+"
)
# Packages that others recommend, and that nobody asks for by name.
_RECOMMENDED = (
    *("fakeroot", "libalgorithm-merge-perl", "libc-devtools", "libldap-common", "manpages-dev"),
    *("packagekit", "publicsuffix", "unattended-upgrades", "xauth"),
)


def _one_run(source: Source) -> None:
    runs = [step for step in source.final().instructions if step.keyword == "RUN"]
    # With a mount, what it writes need not end in the image.
    bare = [step for step in runs if step.flag("mount") is None]
    installing = [step for step in bare if _INSTALLS.search(step.text)]
    if len(installing) > 1:
        actual = f"{len(installing)} RUN instructions that install"
        raise Failed(actual, "one RUN", line=installing[1].line)


@check(
    points=2,
    lesson=LESSON,
    text=_one_run,
    why="Each RUN makes a layer, and a layer keeps what a later one deletes.",
    hint="Join the commands with && and end each line but the last with a backslash.",
)
def installs_in_one_layer(image: Image) -> None:
    """A single layer holds all that is installed."""
    expected = "one RUN that installs all of it"
    layers = [
        number
        for number in image.own
        if any(
            entry.size and _TRACES.fullmatch(entry.path) for entry in image.layers[number].entries
        )
    ]
    if not layers:
        raise Failed("no layer with packages", expected)
    if len(layers) > 1:
        actual = f"{len(layers)} layers with packages, or with lists of them"
        raise Failed(actual, expected, layer=layers[1])


@check(
    points=2,
    lesson=LESSON,
    blame=("RUN",),
    why="apt installs what a package recommends too: for pip, a compiler and 300 MB around it.",
    hint="apt-get install -y --no-install-recommends PACKAGE",
)
def no_recommended_packages(image: Image) -> None:
    """No package is installed only because another one recommends it."""
    info = r"var/lib/dpkg/info/({})(?::\w+)?\.list".format("|".join(_RECOMMENDED))
    for number in image.own:
        paths = (entry.path for entry in image.layers[number].entries)
        found = sorted({match[1] for path in paths if (match := re.fullmatch(info, path))})
        if found:
            raise Failed(f"{', '.join(found)} installed", "only what was asked for", layer=number)


TASK = Task(
    "task-2",
    "slim the image down: one layer, and no leftovers",
    LESSON,
    folder=fastapi.FOLDER,
    answer=(FILE,),
    withheld=fastapi.WITHHELD,
    recipes=fastapi.recipes(FILE, "--version"),
    checks=(
        writes(FILE, lesson=LESSON),
        based_on("ubuntu", LESSON, tag=r"^(?!latest$).", kind="of a release that you name"),
        builds(LESSON),
        installs_in_one_layer,
        no_recommended_packages,
        fastapi.no_pip_cache(LESSON),
        fastapi.no_package_lists(LESSON),
        no_environment("DEBIAN_FRONTEND", LESSON),
        environment("PYTHONUNBUFFERED", LESSON),
        installs({**fastapi.PINS, **dict.fromkeys(fastapi.EXTRAS, "")}, LESSON, points=2),
        workdir("/server", LESSON),
        fastapi.copies_whole_folder(LESSON),
        contains_no_secrets(LESSON),
        exposes(fastapi.PORT, LESSON),
        fastapi.entry(LESSON, "uvicorn", "--version", r"Running uvicorn \d"),
        fastapi.command(LESSON, "app.main:app"),
        *fastapi.serves(LESSON),
        caches_dependencies(LESSON, points=1),
    ),
)
