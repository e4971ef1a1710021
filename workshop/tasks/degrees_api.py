"""Degrees API: a Flask program in one file, with its dependencies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.checks import config, content, dockerfile, server, user
from workshop.model import Failed, Recipe, Task, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.analysis.built_source import BuiltSource
    from workshop.analysis.container.app import App
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source

FILE = "Dockerfile"
PROGRAM = "degrees_api.py"
PORT = 5000
OK = 200
ROWS = [
    {"id": number, "year": 1990 + number, "degrees": degrees}
    for number, degrees in enumerate((5818, 5725, 6005, 6123, 6096))
]

# Flask, the dependencies of all its versions, and the server.
_PACKAGES = (
    *("flask", "werkzeug", "jinja2", "markupsafe", "itsdangerous", "click", "blinker"),
    *("importlib-metadata", "zipp", "waitress"),
)
_PINNING_FILE = re.compile(r"Dockerfile.*|.*\.(?:txt|lock|toml|in|cfg)")
# Files beside the program that the image does not need.
_UNWANTED = ("Dockerfile", "README.md", "requirements-test.txt", "pytest.ini", "tests")


@check(
    points=2,
    why="pip installs the newest version of an unpinned package, which may break the others.",
    hint="List everything that pip freeze prints, each with ==, and install from that list.",
)
def pins_packages(built_source: BuiltSource) -> None:
    """The versions of Flask and of all its dependencies are pinned."""
    texts = list(_pinning_texts(built_source.source))
    packages = built_source.image.packages()
    if "flask" not in packages:
        raise Failed("Flask is not installed", "Flask, in a pinned version")
    unpinned = [
        f"{name} {version}"
        for key in _PACKAGES
        for name, version, _ in sorted(packages.get(key, ()))
        if not any(_pins(text, key, version) for text in texts)
    ]
    if unpinned:
        actual = f"pip chose {' and '.join(unpinned[:3])}, which none of your files pins"
        raise Failed(actual, "each package with its version")


def _pinning_texts(source: Source) -> Iterator[str]:
    """Yield the texts of the Dockerfile and of the package lists in its folder."""
    for path in sorted(source.folder.iterdir()):
        if _PINNING_FILE.fullmatch(path.name):
            try:
                yield source.read(path.name)
            except Failed:
                continue


def _pins(text: str, package: str, version: str) -> bool:
    """Whether a text contains both as separate words: there are many ways to pin a package."""
    name = package.replace("-", "[-_.]")
    return all(
        re.search(rf"(?<![\w.-]){word}(?![\w-]|\.\d)", text, re.IGNORECASE)
        for word in (name, re.escape(version))
    )


def _workdir_by_text(source: Source) -> None:
    setting = source.final().workdir
    if setting and setting.value == "/":
        raise Failed("WORKDIR /", "a directory for the program", line=setting.line)


@check(
    points=1,
    text=_workdir_by_text,
    why="A separate directory keeps the program's files apart from the system's.",
    hint="Write WORKDIR /app before COPY: it creates the directory, where relative paths start.",
)
def has_working_directory(image: Image) -> None:
    """The program has its own working directory."""
    if image.workdir == "/":
        raise Failed("the working directory is /", "WORKDIR with a directory for the program")
    if PROGRAM in image.tree:
        raise Failed(f"/{PROGRAM}", f"{PROGRAM} in {image.workdir}")


@check(
    points=1,
    blame=("COPY", "ADD"),
    why="Unneeded files make the image larger, and each change of them causes a rebuild.",
    hint=f"COPY {PROGRAM} ./ is enough, or list the other files in .dockerignore.",
)
def contains_only_the_program(image: Image) -> None:
    """The image does not contain Dockerfile, README or tests."""
    for program in image.find(f"**/{PROGRAM}"):
        folder = program.removesuffix(PROGRAM)
        if found := [name for name in _UNWANTED if f"{folder}{name}" in image.tree]:
            raise Failed(f"/{folder}{found[0]} is in the image", f"only {PROGRAM}")


@check(
    points=3,
    why="A running process does not prove that the application works.",
    hint="Run docker run -p 5050:5000 IMAGE, then curl 127.0.0.1:5050/degrees",
)
def returns_degrees(app: App) -> None:
    """GET /degrees returns the five years as JSON."""
    for who, answer in app.get_as_clients(PORT, "/degrees"):
        if answer.error or answer.status != OK:
            actual = answer.error or f"status {answer.status}: {answer.body[:100]}"
            raise Failed(who + actual, "status 200 with five rows")
        if answer.json() != ROWS:
            actual = f"{who}the response is {answer.body[:100]}"
            raise Failed(actual, "a JSON list with the five rows")


@check(
    points=2,
    blame=("ENV", "CMD", "ENTRYPOINT"),
    why="The debugger runs any code that a visitor sends: use it only on your own machine.",
    hint="Remove DEBUG=1, --debug or FLASK_DEBUG from the Dockerfile.",
)
def no_debugger(app: App) -> None:
    """The Flask debugger is off."""
    # Werkzeug's debugger serves its style sheet to every visitor.
    answer = app.get(PORT, "/?__debugger__=yes&cmd=resource&f=style.css")
    if answer.status == OK and "debugger" in answer.body:
        raise Failed("Werkzeug's debugger responds at /console", "a server without a debugger")


TASK = Task(
    "degrees-api",
    "containerise a Flask JSON API",
    "degrees-api",
    folder="services/degrees_api",
    answer=(FILE, ".dockerignore", "requirements.txt"),
    withheld=("README.md",),
    recipes=(Recipe(port=PORT, edit=PROGRAM),),
    checks=(
        dockerfile.files_exist(FILE),
        dockerfile.base_image("python", tag=dockerfile.VERSION, variant="with a version"),
        config.builds,
        pins_packages,
        has_working_directory,
        contains_only_the_program,
        content.contains_no_secrets,
        content.caches_dependencies,
        config.exposes(PORT),
        server.server_starts(PORT),
        server.listens_on_all_interfaces(PORT),
        returns_degrees,
        no_debugger,
        user.runs_as_non_root(),
        server.server_is_process_1,
        server.stops_on_sigterm,
        server.healthcheck_works(required=False),
    ),
)
