"""Greeter: a Poetry project, built in one stage and run in another."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from workshop.checks import (
    based_on,
    becomes_non_root,
    builds,
    caches_dependencies,
    comes_from,
    contains_no_secrets,
    leaves_nothing,
    leaves_out,
    pins_poetry,
    says,
    speech_bubble,
    workdir,
    writes,
)
from workshop.core.paths import ROOT
from workshop.model import Failed, Recipe, Task, check

if TYPE_CHECKING:
    from workshop.analysis.built_source import BuiltSource
    from workshop.analysis.container.app import Run
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source

LESSON = "part-3/greeter"
FILE = "Dockerfile"
LOCK = "poetry.lock"
WORDS = "Greetings from somenergia.coop!"
JAW = ".-=-==--==--."  # of cowsay's T. rex alone
OTHER = "other"
PACKAGE = "cowsay"

# What these write into INSTALLER; Poetry writes its own name, and its version.
_OTHER_INSTALLERS = {
    hashlib.sha256(said).hexdigest(): name for said, name in ((b"pip\n", "pip"), (b"uv", "uv"))
}
_LOCKED = re.compile(r'(?m)^name = "(.+)"\r?\nversion = "(.+)"')


def _places(image: Image) -> list[str]:
    """Where the one package of the project is; `Failed` where it is not."""
    found = sorted(path for _, _, path in image.packages().get(PACKAGE, ()))
    if not found:
        raise Failed(f"{PACKAGE} is not installed", f"{PACKAGE}, as in {LOCK}")
    return found


@check(
    points=2,
    lesson=LESSON,
    why="In an environment of its own, a project has what its lock file lists, and nothing else.",
    hint="ENV POETRY_VIRTUALENVS_IN_PROJECT=true, before RUN poetry install in the project.",
)
def poetry_creates_venv(image: Image) -> None:
    """Poetry has made the virtual environment, as .venv in the project."""
    expected = f"{PACKAGE} in {image.workdir}/.venv, installed by Poetry"
    found = _places(image)
    inside = [path for path in found if f"/{path}".startswith(f"{image.workdir}/.venv/")]
    if not inside:
        raise Failed(f"{PACKAGE} is in /{found[0].rpartition('/')[0]}", expected)
    entry = image.tree.get(f"{inside[0]}/INSTALLER")
    if entry and (other := _OTHER_INSTALLERS.get(entry.digest)):
        raise Failed(f"{other} has installed {PACKAGE}", expected)


@check(
    points=1,
    lesson=LESSON,
    why="The lock file is what was tested: whoever builds the image later gets the same.",
    hint="COPY poetry.lock beside pyproject.toml, and let poetry install do what it lists.",
)
def installs_locked_versions(built_source: BuiltSource) -> None:
    """What is installed is what poetry.lock lists."""
    packages = built_source.image.packages()
    # Others may lie elsewhere: those that Poetry itself needs.
    environment = _places(built_source.image)[0].partition("/lib/")[0]
    for name, version in _LOCKED.findall(_lock(built_source.source)):
        for _, found, path in packages.get(name, ()):
            if path.startswith(environment) and found != version:
                raise Failed(f"{name} {found}", f"{name} {version}, as in {LOCK}")


def _lock(source: Source) -> str:
    """The lock file that is built with: the learner's, or else the starter's."""
    try:
        return source.read(LOCK)
    except Failed:
        return (ROOT / source.task.folder / LOCK).read_text(encoding="utf-8")


@check(
    points=1,
    lesson=LESSON,
    why="ls and ps show people a name; a number alone can be somebody else's on another machine.",
    hint='RUN groupadd --gid "$USER_GID" "$USERNAME" and useradd, before USER.',
)
def user_has_name(image: Image) -> None:
    """The image knows its user, and the user's group, by name."""
    who = image.identity()
    expected = "a user and a group of /etc/passwd and /etc/group, other than root"
    if who is None or who[0] == 0:
        raise Failed(f"USER {image.user or 'root'}", expected)
    for file, number in (("passwd", who[0]), ("group", who[1])):
        rows = image.text(f"etc/{file}").decode("utf-8", "replace").splitlines()
        if number == 0 or not any(row.split(":")[2:3] == [str(number)] for row in rows):
            raise Failed(f"{number} is no user's own number in /etc/{file}", expected)


@check(
    points=2,
    lesson=LESSON,
    blame=("USER", "COPY"),
    why="Who gets into the program could else change it for everybody who runs it after.",
    hint="Let root own /app: COPY without --chown, and no chown of it.",
)
def venv_is_read_only(image: Image) -> None:
    """The user can read the virtual environment, and not write it."""
    who = image.identity()
    if who is None:
        raise Failed(f"USER {image.user} is nobody that the image knows", "a user of the image")
    for place in sorted({path.partition("/lib/")[0] for path in _places(image)}):
        if may := image.writable_paths(who[0], who[2], place):
            raise Failed(f"uid {who[0]} may write to /{may[0]}", f"/{place} to be read only")


def greets(run: Run) -> None:
    """A T. rex with the greeting."""
    bubble = speech_bubble(run)
    if bubble.words != WORDS or JAW not in bubble.animal:
        raise Failed(f"somebody says: {bubble.words}", f"a T. rex that says: {WORDS}")


@check(
    points=1,
    lesson=LESSON,
    name="greeter-cli-on-path",
    title="greeter-cli is found from every folder",
    why="A command's folder has to be in PATH, unless everybody types the whole path.",
    hint="ENV PATH=/app/.venv/bin:$PATH in the last stage.",
)
def greeter_cli_on_path(run: Run) -> None:
    """The command is in PATH."""
    greets(run)


TASK = Task(
    "greeter",
    "build a Poetry project in stages",
    LESSON,
    folder="services/part-3/python-poetry",
    answer=(FILE,),
    withheld=(".dockerignore",),
    recipes=(
        Recipe(edit="src/greeter/cli.py", project="greeter"),
        Recipe(OTHER, command=("sh", "-c", "cd / && greeter-cli")),
    ),
    checks=(
        writes(FILE, lesson=LESSON),
        based_on("python", LESSON, tag="slim", kind="in its slim variant"),
        pins_poetry(LESSON),
        comes_from(
            LOCK,
            LESSON,
            why="Without its lock file, Poetry looks for the newest versions at each build.",
            hint="COPY pyproject.toml poetry.lock ./ before RUN poetry install",
        ),
        builds(LESSON),
        becomes_non_root(LESSON),
        user_has_name,
        leaves_nothing(
            "no-poetry",
            "The final image holds neither Poetry nor pipx",
            r"(?:^|/)(?:bin/(?:poetry|pipx)$|(?:site|dist)-packages/(?:poetry|pipx)/)",
            LESSON,
            "Begin a last stage with FROM, and COPY --from=builder /app/.venv into it.",
            points=2,
        ),
        leaves_out("pytest", "pluggy", "iniconfig", lesson=LESSON),
        caches_dependencies(LESSON),
        poetry_creates_venv,
        installs_locked_versions,
        venv_is_read_only,
        workdir("/app", LESSON),
        contains_no_secrets(LESSON, points=1),
        says(
            greets,
            LESSON,
            title="A T. rex sends greetings from somenergia.coop",
            hint='Install the project itself too, after COPY src ./src; CMD ["greeter-cli"]',
        ),
        greeter_cli_on_path._replace(of=OTHER),
    ),
)
