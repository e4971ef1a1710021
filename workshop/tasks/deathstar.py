"""The Death Star: a wheel made in one stage, and installed in another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.checks import (
    answers,
    based_on,
    builds,
    exposes,
    first_process,
    keeps_secrets_out,
    leaves_out,
    ordinary_user,
    pins_poetry,
    reachable,
    reuses_dependencies,
    starts,
    stops,
    tells_its_health,
    writes,
)
from workshop.core.errors import UserError
from workshop.model import Failed, Recipe, Task, check

if TYPE_CHECKING:
    from workshop.analysis.container.app import App
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source
    from workshop.grading.evaluation import Evaluation

LESSON = "deathstar"
FILE = "Dockerfile"
PORT = 8080
PLANETS = "/api/v1/planets"
NO_CONTENT, NOT_FOUND = 204, 404

# What makes the wheel, and has no work to do once it is made.
_TOOLS = ("poetry", "poetry-core", "build", "go-task-bin")
_COMPILERS = ("gcc", "cc", "g++", "clang")
_SERVES = re.compile(r"(?:^|[\s/])deathstar\s+(?:\S+\s+)*?api(?:\s|$)")

# An older version of a package to lock: who follows the lock file installs it, and who lets pip
# choose gets the newest.
_OLDER = """name = "annotated-doc"
version = "0.0.6"
\\1files = [
    {file = "annotated_doc-0.0.6-py3-none-any.whl", \
hash = "sha256:361ca0950cc7082f53fa69e9328409f40a62c61e57e0a47e1825a08078a58a53"},
    {file = "annotated_doc-0.0.6.tar.gz", \
hash = "sha256:7969bb69912085b2285849c0dcac0b4b374fd180c13cf10a87f284ffcf347bbf"},
]
"""
_LOCKED = re.compile(
    r'name = "annotated-doc"\nversion = "[^"]*"\n((?:[^\n]+\n)*?)files = \[\n.*?\n\]\n', re.DOTALL
)


class Relocked:
    """The `image` that comes of another lock file, whose versions are `wanted`, by name."""

    def __init__(self, image: Image, expected: dict[str, str]) -> None:
        self.image, self.expected = image, expected


def relock(evaluation: Evaluation, of: str) -> Relocked:
    """Build once more, with an older version of one package in poetry.lock."""
    evaluation.fact("image_id", of)
    folder = evaluation.copy("relocked")
    lock = folder / "poetry.lock"
    text = _LOCKED.sub(_OLDER, lock.read_text(encoding="utf-8"))
    lock.write_text(text, encoding="utf-8")
    try:
        return Relocked(evaluation.build(of, folder, "relocked"), _versions(text))
    except Failed as failed:
        found = f"the image cannot be built with another version in it: {failed.actual}"
        raise UserError("poetry.lock", found, "Look whether the network is there") from None


def _versions(lock: str) -> dict[str, str]:
    """The versions of the packages that the application needs on every machine."""
    import tomllib  # noqa: PLC0415 - only this check needs it

    return {
        package["name"]: package["version"]
        for package in tomllib.loads(lock)["package"]
        if "main" in package["groups"] and "markers" not in package
    }


@check(
    points=2,
    lesson=LESSON,
    why="pip install of a wheel alone takes whatever is newest: every build may be another one.",
    hint="Install what is locked first (poetry install --only main --no-root), and the wheel "
    "after it, with pip install --no-deps.",
)
def follows_the_lock_file(relocked: Relocked) -> None:
    """The packages have the versions of poetry.lock."""
    found = relocked.image.packages()
    for name, version in relocked.expected.items():
        versions = {item[1] for item in found.get(name, ())}
        if version not in versions:
            actual = f"{name} {' and '.join(sorted(versions)) or 'is not installed'}"
            raise Failed(actual, f"{name} {version}, as in the lock file that it was built with")


def _wheel_by_text(source: Source) -> None:
    if len(source.final().chain) == len(source.dockerfile().stages) == 1:
        raise Failed("one stage", "a stage that makes the wheel, and one that installs it")


@check(
    points=2,
    lesson=LESSON,
    text=_wheel_by_text,
    why="A wheel is the finished project: it needs neither its source nor the tools around it.",
    hint="poetry build puts the wheel into dist: bring it from the builder, and pip install it.",
)
def installs_the_wheel(image: Image) -> None:
    """The project is installed from its wheel."""
    if not image.find("**/*-packages/deathstar-*.dist-info"):
        raise Failed("no deathstar among the installed packages", "the installed wheel")
    if not image.find("**/*-packages/deathstar/api.py"):
        actual = "deathstar is installed as a link to a source folder (editable)"
        raise Failed(actual, "the wheel, with all its files, among the installed packages")


@check(
    points=2,
    lesson=LESSON,
    why="Who runs the server builds nothing: tools are room, and more that can be attacked.",
    hint="Begin the last stage with a FROM of its own; bring only what runs from the builder.",
)
def leaves_tools_behind(image: Image) -> None:
    """Poetry, Task and what builds the wheel stay in the builder."""
    found = image.packages()
    tools = [name for name in _TOOLS if name in found]
    tools += [f"/{path}" for name in ("poetry", "task") for path in image.find(f"**/bin/{name}")]
    if tools:
        raise Failed(f"{', '.join(tools)} in the final image", "none of them")


@check(
    points=1,
    lesson=LESSON,
    why="The full python image holds compilers and their libraries: hundreds of MB not needed.",
    hint="Begin the last stage with the slim variant of the image: FROM python:3.13-slim-trixie.",
)
def holds_no_compiler(image: Image) -> None:
    """The final image is a small one, without compilers."""
    if found := [path for name in _COMPILERS for path in image.find(f"usr/bin/{name}")]:
        actual = f"/{found[0]}, in an image of {image.stored / 1e6:.0f} MB"
        raise Failed(actual, "an image without compilers")


def _entry_by_text(source: Source) -> None:
    if source.final().entrypoint is None:
        raise Failed("no ENTRYPOINT", "an ENTRYPOINT that runs deathstar")


@check(
    points=1,
    lesson=LESSON,
    text=_entry_by_text,
    blame=("CMD",),
    why="With an entry point, a container is used like the program: its words follow the image.",
    hint='ENTRYPOINT ["deathstar", "api"], or ENTRYPOINT ["deathstar"] with CMD ["api"].',
)
def has_an_entry_point(image: Image) -> None:
    """The image has an entry point."""
    if not image.entrypoint:
        raise Failed(f"no ENTRYPOINT, and CMD {' '.join(image.cmd)}", "an ENTRYPOINT")


@check(
    points=1,
    lesson=LESSON,
    blame=("ENTRYPOINT", "CMD"),
    why="The project has a command of its own, which knows how its server is to be run.",
    hint='ENTRYPOINT ["deathstar", "api"], or ENTRYPOINT ["deathstar"] with CMD ["api"].',
)
def serves_by_its_command(app: App) -> None:
    """The server is started by deathstar api."""
    commands = [process.command for process in app.processes]
    if not any(map(_SERVES.search, commands)):
        raise Failed(f"the container runs {'; '.join(commands)}", "a process that is deathstar api")


@check(
    points=2,
    lesson=LESSON,
    why="That the process runs does not mean that the application works.",
    hint=f"Ask it: docker run -p {PORT}:{PORT} IMAGE, then "
    f"curl -i -X DELETE localhost:{PORT}{PLANETS}/Yavin4, twice.",
)
def destroys_a_planet(app: App) -> None:
    """A destroyed planet is gone, and one that never was is not found."""
    asked = (
        ("GET", "Hoth", NOT_FOUND),
        ("DELETE", "Yavin4", NO_CONTENT),
        ("DELETE", "Yavin4", NOT_FOUND),
        ("GET", "Yavin4", NOT_FOUND),
    )
    for method, planet, expected in asked:
        answer = app.get(PORT, f"{PLANETS}/{planet}", method=method)
        if answer.status != expected:
            actual = f"{method} {PLANETS}/{planet}: {answer.error or f'status {answer.status}'}"
            raise Failed(actual, f"status {expected}")


TASK = Task(
    "deathstar",
    "build a wheel in one stage, and run it in another",
    LESSON,
    folder="services/deathstar",
    answer=(FILE,),
    withheld=("README.md",),
    recipes=(Recipe(port=PORT, edit="deathstar/api.py", project="deathstar"),),
    facts={"relocked": relock},
    checks=(
        writes(FILE, lesson=LESSON),
        based_on("python", LESSON, tag=r"^\d+\.\d+", kind="with its version"),
        pins_poetry(LESSON),
        builds(LESSON),
        exposes(PORT, LESSON),
        reuses_dependencies(LESSON),
        installs_the_wheel,
        follows_the_lock_file,
        leaves_tools_behind,
        leaves_out("pytest", lesson=LESSON),
        holds_no_compiler,
        keeps_secrets_out(LESSON),
        has_an_entry_point,
        starts(PORT, LESSON),
        reachable(PORT, LESSON),
        answers(PORT, f"{PLANETS}/Naboo", "Naboo", LESSON),
        destroys_a_planet,
        serves_by_its_command,
        ordinary_user(LESSON),
        first_process(LESSON),
        stops(LESSON),
        tells_its_health(LESSON),
    ),
)
