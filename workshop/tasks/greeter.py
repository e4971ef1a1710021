"""Greeter: a Poetry project, built in one stage and run in another."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from workshop.checks import config, content, dockerfile, poetry, program, user
from workshop.core.paths import ROOT
from workshop.model import Failed, Recipe, Task, check

if TYPE_CHECKING:
    from workshop.analysis.built_source import BuiltSource
    from workshop.analysis.container.app import Run
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source

FILE = "Dockerfile"
LOCK = "poetry.lock"
MESSAGE = "Greetings from somenergia.coop!"
JAW = ".-=-==--==--."  # only in cowsay's T. rex
OTHER = "other"
PACKAGE = "cowsay"

# The INSTALLER files of other tools, by digest; Poetry writes its name and version.
_OTHER_INSTALLERS = {
    hashlib.sha256(content).hexdigest(): name
    for content, name in ((b"pip\n", "pip"), (b"uv", "uv"))
}
_LOCKED = re.compile(r'(?m)^name = "(.+)"\r?\nversion = "(.+)"')


def _installed_paths(image: Image) -> list[str]:
    """Return where the project's only dependency is installed; raise `Failed` if it is not."""
    found = sorted(path for _, _, path in image.packages().get(PACKAGE, ()))
    if not found:
        raise Failed(f"{PACKAGE} is not installed", f"{PACKAGE}, as in {LOCK}")
    return found


@check(
    points=2,
    why="A virtual environment contains only the packages of the project's lock file.",
    hint="ENV POETRY_VIRTUALENVS_IN_PROJECT=true before RUN poetry install in the project.",
)
def poetry_creates_venv(image: Image) -> None:
    """Poetry creates the virtual environment .venv in the project."""
    expected = f"{PACKAGE} in {image.workdir}/.venv, installed by Poetry"
    found = _installed_paths(image)
    inside = [path for path in found if f"/{path}".startswith(f"{image.workdir}/.venv/")]
    if not inside:
        raise Failed(f"{PACKAGE} is in /{found[0].rpartition('/')[0]}", expected)
    entry = image.tree.get(f"{inside[0]}/INSTALLER")
    if entry and (other := _OTHER_INSTALLERS.get(entry.digest)):
        raise Failed(f"{other} installed {PACKAGE}", expected)


@check(
    points=1,
    why="The lock file lists the tested versions, so every build installs the same ones.",
    hint="COPY poetry.lock next to pyproject.toml, and run poetry install.",
)
def installs_locked_versions(built_source: BuiltSource) -> None:
    """The installed versions match poetry.lock."""
    packages = built_source.image.packages()
    # Packages outside this environment may be Poetry's own dependencies.
    environment = _installed_paths(built_source.image)[0].partition("/lib/")[0]
    for name, version in _LOCKED.findall(_lock(built_source.source)):
        for _, found, path in packages.get(name, ()):
            if path.startswith(environment) and found != version:
                raise Failed(f"{name} {found}", f"{name} {version}, as in {LOCK}")


def _lock(source: Source) -> str:
    """Return the lock file of the build: the learner's, or else the starter's."""
    try:
        return source.read(LOCK)
    except Failed:
        return (ROOT / source.task.folder / LOCK).read_text(encoding="utf-8")


@check(
    points=1,
    why="ls and ps show names, and a bare number can be another user's on another machine.",
    hint='RUN groupadd --gid "$USER_GID" "$USERNAME" and useradd, before USER.',
)
def user_has_name(image: Image) -> None:
    """The user and its group have names in the image."""
    identity = image.identity()
    expected = "a user and a group from /etc/passwd and /etc/group, other than root"
    if identity is None or identity[0] == 0:
        raise Failed(f"USER {image.user or 'root'}", expected)
    for file, number in (("passwd", identity[0]), ("group", identity[1])):
        rows = image.text(f"etc/{file}").decode("utf-8", "replace").splitlines()
        if number == 0 or not any(row.split(":")[2:3] == [str(number)] for row in rows):
            raise Failed(f"/etc/{file} has no entry other than root's for {number}", expected)


@check(
    points=2,
    blame=("USER", "COPY"),
    why="An attacker who takes over a program that can change its own code can keep control of it.",
    hint="Keep root as the owner of /app: COPY without --chown, and no chown of /app.",
)
def venv_is_read_only(image: Image) -> None:
    """The user can read but not write the virtual environment."""
    identity = image.identity()
    if identity is None:
        raise Failed(f"/etc/passwd does not list USER {image.user}", "a user of the image")
    for place in sorted({path.partition("/lib/")[0] for path in _installed_paths(image)}):
        if writable := image.writable_paths(identity[0], identity[2], place):
            raise Failed(f"uid {identity[0]} can write to /{writable[0]}", f"read-only /{place}")


def _greets(run: Run) -> None:
    bubble = program.read_speech_bubble(run)
    if bubble.words != MESSAGE or JAW not in bubble.animal:
        raise Failed(f"the message is: {bubble.words}", f"a T. rex that says: {MESSAGE}")


@check(
    points=1,
    why="Without its directory in PATH, you must type the full path of a command.",
    hint="ENV PATH=/app/.venv/bin:$PATH in the last stage.",
)
def greeter_cli_on_path(run: Run) -> None:
    """greeter-cli runs from every directory."""
    _greets(run)


TASK = Task(
    "greeter",
    "build a Poetry project in stages",
    "part-3/greeter",
    folder="services/part-3/python-poetry",
    answer=(FILE,),
    withheld=(".dockerignore",),
    recipes=(
        Recipe(edit="src/greeter/cli.py", project="greeter"),
        Recipe(OTHER, command=("sh", "-c", "cd / && greeter-cli")),
    ),
    already_met=(
        "files-exist",
        "base-image",
        "pins-poetry",
        "builds",
        "runs-as-non-root",
        "user-has-name",
        "no-poetry",
        "no-development-packages",
        "caches-dependencies",
        "installs-locked-versions",
        "venv-is-read-only",
        "working-directory",
        "contains-no-secrets",
    ),
    checks=(
        dockerfile.files_exist(FILE),
        dockerfile.base_image(
            "python", tag=rf"{dockerfile.VERSION}.*slim", variant="slim variant with a version"
        ),
        poetry.pins_poetry,
        dockerfile.copies(
            LOCK,
            why="Without its lock file, Poetry installs the newest versions in each build.",
            hint="COPY pyproject.toml poetry.lock ./ before RUN poetry install",
        ),
        config.builds,
        user.user_is_non_root,
        user_has_name,
        content.no_files(
            "no-poetry",
            "The final image contains neither Poetry nor pipx",
            r"(?:^|/)(?:bin/(?:poetry|pipx)$|(?:site|dist)-packages/(?:poetry|pipx)/)",
            "Begin the last stage with FROM, and COPY --from=builder /app/.venv into it.",
            points=2,
        ),
        content.no_development_packages("pytest", "pluggy", "iniconfig"),
        content.caches_dependencies,
        poetry_creates_venv,
        installs_locked_versions,
        venv_is_read_only,
        config.working_directory("/app"),
        content.contains_no_secrets._replace(points=1),
        program.prints(
            _greets,
            title="Prints greetings from somenergia.coop, said by a T. rex",
            hint='Install the project too, after COPY src ./src; CMD ["greeter-cli"]',
        ),
        greeter_cli_on_path._replace(of=OTHER),
    ),
)
