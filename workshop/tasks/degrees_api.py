"""Degrees API: a Flask program of one file, with everything that it needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.checks import (
    based_on,
    builds,
    caches_dependencies,
    contains_no_secrets,
    exposes,
    healthcheck_works,
    listens_on_all_interfaces,
    runs_as_non_root,
    server_is_process_1,
    server_starts,
    stops_on_sigterm,
    writes,
)
from workshop.model import Failed, Recipe, Task, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.analysis.built_source import BuiltSource
    from workshop.analysis.container.app import App
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source

LESSON = "degrees-api"
FILE = "Dockerfile"
PROGRAM = "degrees_api.py"
PORT = 5000
OK = 200
ROWS = [
    {"id": number, "year": 1990 + number, "degrees": degrees}
    for number, degrees in enumerate((5818, 5725, 6005, 6123, 6096))
]

# Flask, what it needs in any of its versions, and the server.
_PACKAGES = (
    "flask",
    "werkzeug",
    "jinja2",
    "markupsafe",
    "itsdangerous",
    "click",
    "blinker",
    "importlib-metadata",
    "zipp",
    "waitress",
)
_WRITTEN = re.compile(r"Dockerfile.*|.*\.(?:txt|lock|toml|in|cfg)")
# What lies beside the program, and is no part of it.
_REST = ("Dockerfile", "README.md", "requirements-test.txt", "pytest.ini", "tests")


@check(
    points=2,
    lesson=LESSON,
    why="pip takes the newest of whatever has no version, and that may not fit the rest tomorrow.",
    hint="Write down all that pip freeze prints, each with ==, and install from that list.",
)
def pins_packages(built_source: BuiltSource) -> None:
    """The version of every package is written down: of Flask, and of what Flask needs."""
    texts = list(_texts(built_source.source))
    packages = built_source.image.packages()
    if "flask" not in packages:
        raise Failed("Flask is not installed", "Flask, in a version that is written down")
    floating = [
        f"{name} {version}"
        for key in _PACKAGES
        for name, version, _ in sorted(packages.get(key, ()))
        if not any(_names(text, key, version) for text in texts)
    ]
    if floating:
        raise Failed(
            f"pip chose {' and '.join(floating[:3])}, and none of your files says so",
            "each package with its version",
        )


def _texts(source: Source) -> Iterator[str]:
    """The Dockerfile and the lists of packages beside it."""
    for path in sorted(source.folder.iterdir()):
        if _WRITTEN.fullmatch(path.name):
            try:
                yield source.read(path.name)
            except Failed:
                continue


def _names(text: str, package: str, version: str) -> bool:
    """Whether a text has both, as words: the ways to pin a package are many."""
    name = package.replace("-", "[-_.]")
    return all(
        re.search(rf"(?<![\w.-]){word}(?![\w-]|\.\d)", text, re.IGNORECASE)
        for word in (name, re.escape(version))
    )


def _folder_by_text(source: Source) -> None:
    setting = source.final().workdir
    if setting and setting.value == "/":
        raise Failed("WORKDIR /", "a folder of the program's own", line=setting.line)


@check(
    points=1,
    lesson=LESSON,
    text=_folder_by_text,
    why="/ is the system's: in a folder of its own, a program does not mix with that.",
    hint="Write WORKDIR /app before COPY: it makes the folder, and relative paths begin there.",
)
def has_working_directory(image: Image) -> None:
    """The program lies in a working folder of its own."""
    if image.workdir == "/":
        raise Failed("containers start in /", "WORKDIR with a folder of the program's own")
    if PROGRAM in image.tree:
        raise Failed(f"/{PROGRAM}", f"{PROGRAM} in {image.workdir}")


@check(
    points=1,
    lesson=LESSON,
    blame=("COPY", "ADD"),
    why="What is not needed makes the image larger, and each build anew when it changes.",
    hint=f"COPY {PROGRAM} ./ is enough, or list the rest in .dockerignore.",
)
def contains_only_the_program(image: Image) -> None:
    """Neither Dockerfile nor README nor tests are in the image."""
    for program in image.find(f"**/{PROGRAM}"):
        folder = program.removesuffix(PROGRAM)
        if found := [name for name in _REST if f"{folder}{name}" in image.tree]:
            raise Failed(f"/{folder}{found[0]} is in the image", f"{PROGRAM} without the rest")


@check(
    points=3,
    lesson=LESSON,
    why="That the process runs does not mean that the application works.",
    hint="Ask it yourself: docker run -p 5050:5000 IMAGE, then curl 127.0.0.1:5050/degrees",
)
def returns_degrees(app: App) -> None:
    """/degrees answers the five years as JSON."""
    answer = app.get(PORT, "/degrees")
    if answer.error or answer.status != OK:
        actual = answer.error or f"status {answer.status}: {answer.body[:100]}"
        raise Failed(actual, "status 200 with five rows")
    if answer.json() != ROWS:
        raise Failed(f"it answers {answer.body[:100]}", "a JSON list with the five rows")


@check(
    points=2,
    lesson=LESSON,
    blame=("ENV", "CMD", "ENTRYPOINT"),
    why="The debugger runs whatever code a visitor sends: it is for your own machine alone.",
    hint="Take DEBUG=1, --debug or FLASK_DEBUG out of the Dockerfile.",
)
def no_debugger(app: App) -> None:
    """No debugger answers visitors."""
    # Werkzeug's debugger gives away its style sheet, whoever asks.
    answer = app.get(PORT, "/?__debugger__=yes&cmd=resource&f=style.css")
    if answer.status == OK and "debugger" in answer.body:
        raise Failed("Werkzeug's debugger answers at /console", "a server without a debugger")


TASK = Task(
    "degrees-api",
    "containerise a Flask JSON API",
    LESSON,
    folder="services/degrees_api",
    answer=(FILE, ".dockerignore", "requirements.txt"),
    withheld=("README.md",),
    recipes=(Recipe(port=PORT, edit=PROGRAM),),
    checks=(
        writes(FILE, lesson=LESSON),
        based_on("python", LESSON),
        builds(LESSON),
        pins_packages,
        has_working_directory,
        contains_only_the_program,
        contains_no_secrets(LESSON),
        caches_dependencies(LESSON),
        exposes(PORT, LESSON),
        server_starts(PORT, LESSON),
        listens_on_all_interfaces(PORT, LESSON),
        returns_degrees,
        no_debugger,
        runs_as_non_root(LESSON),
        server_is_process_1(LESSON),
        stops_on_sigterm(LESSON),
        healthcheck_works(LESSON, asked=False),
    ),
)
