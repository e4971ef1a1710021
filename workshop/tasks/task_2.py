"""Task 2: the image of task 1, without unneeded files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.checks import config, content, dockerfile
from workshop.model import Failed, Task, check
from workshop.tasks import fastapi

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source

FILE = "Dockerfile-task-2"

_INSTALLS = re.compile(
    r"\b(?:apt(?:-get)?|pip3?)\b[^&|;\n]*\binstall\b|\bapt(?:-get)? .*\bupdate\b"
)
# Files that apt and pip write during every installation.
_TRACES = re.compile(
    r"var/lib/dpkg/status|var/lib/apt/lists/.+|.*/(?:site|dist)-packages/[^/]+-info/.+"
)
# Packages that are installed only as recommendations of others.
_RECOMMENDED = (
    *("fakeroot", "libalgorithm-merge-perl", "libc-devtools", "libldap-common", "manpages-dev"),
    *("packagekit", "publicsuffix", "unattended-upgrades", "xauth"),
)


def _runs_by_text(source: Source) -> None:
    runs = [step for step in source.final().instructions if step.keyword == "RUN"]
    # A RUN with a mount may write to the mount instead of the image.
    without_mount = [step for step in runs if step.flag("mount") is None]
    installing = [step for step in without_mount if _INSTALLS.search(step.text)]
    if len(installing) > 1:
        actual = f"{len(installing)} RUN instructions that install packages"
        raise Failed(actual, "one RUN", line=installing[1].line)


@check(
    points=2,
    text=_runs_by_text,
    why="Each RUN creates a layer, and a layer keeps the files that a later layer deletes.",
    hint="Join the commands with &&, and end each line but the last with a backslash.",
)
def installs_in_one_layer(image: Image) -> None:
    """One layer contains all installed packages."""
    expected = "one RUN that installs all packages"
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
        actual = f"{len(layers)} layers with packages or package lists"
        raise Failed(actual, expected, layer=layers[1])


@check(
    points=2,
    blame=("RUN",),
    why="apt also installs recommended packages: for pip, a compiler with all its files.",
    hint="apt-get install -y --no-install-recommends PACKAGE",
)
def no_recommended_packages(image: Image) -> None:
    """apt installs no recommended packages."""
    info = r"var/lib/dpkg/info/({})(?::\w+)?\.list".format("|".join(_RECOMMENDED))
    for number in image.own:
        paths = (entry.path for entry in image.layers[number].entries)
        found = sorted({match[1] for path in paths if (match := re.fullmatch(info, path))})
        if found:
            actual = f"installed: {', '.join(found)}"
            raise Failed(actual, "only the packages that you name", layer=number)


TASK = Task(
    "task-2",
    "slim the image down: one layer, and no unneeded files",
    "fastapi/task-2",
    folder=fastapi.FOLDER,
    answer=(FILE,),
    withheld=fastapi.WITHHELD,
    recipes=fastapi.recipes(FILE, "--version"),
    already_met=(
        "files-exist",
        "base-image",
        "builds",
        "no-debian-frontend",
        "sets-pythonunbuffered",
        "installs-packages",
        "working-directory",
        "copies-whole-folder",
        "contains-no-secrets",
        "exposes-8000",
        "entrypoint-receives-arguments",
        "sets-cmd",
        "server-starts",
        "listens-on-all-interfaces",
        "returns-expected-response",
        "caches-dependencies",
    ),
    checks=(
        dockerfile.files_exist(FILE),
        dockerfile.base_image("ubuntu", tag=r"^(?!latest$).", variant="with a release tag"),
        config.builds,
        installs_in_one_layer,
        no_recommended_packages,
        fastapi.no_pip_cache,
        fastapi.no_package_lists,
        config.build_only_variable("DEBIAN_FRONTEND"),
        config.sets_variable("PYTHONUNBUFFERED"),
        content.installs(fastapi.PINS_AND_EXTRAS, points=2),
        config.working_directory("/server"),
        fastapi.copies_whole_folder,
        content.contains_no_secrets,
        config.exposes(fastapi.PORT),
        fastapi.entrypoint_receives_arguments("uvicorn", "--version", r"Running uvicorn \d"),
        fastapi.sets_cmd("app.main:app"),
        *fastapi.SERVER_CHECKS,
        content.caches_dependencies._replace(points=1),
    ),
)
