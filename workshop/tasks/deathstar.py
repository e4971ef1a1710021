"""Deathstar: a wheel built in one stage and installed in another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.checks import config, content, dockerfile, poetry, server, user
from workshop.core.errors import UserError
from workshop.model import Failed, Recipe, Task, check

if TYPE_CHECKING:
    from workshop.analysis.container.app import App
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source
    from workshop.grading.evaluation import Evaluation

FILE = "Dockerfile"
PORT = 8080
PLANETS = "/api/v1/planets"
NO_CONTENT, NOT_FOUND = 204, 404
_ENTRYPOINT_HINT = 'ENTRYPOINT ["deathstar", "api"], or ENTRYPOINT ["deathstar"] with CMD ["api"].'

# The tools that build the wheel.
_TOOLS = ("poetry", "poetry-core", "build", "go-task-bin")
_COMPILERS = ("gcc", "cc", "g++", "clang")
_API_COMMAND = re.compile(r"(?:^|[\s/])deathstar\s+(?:\S+\s+)*?api(?:\s|$)")

# An older version of one package for the lock file: an image that follows the lock file installs
# this version; pip on its own would install the newest.
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
    """The `image` built with a changed lock file, and the `expected` versions by package."""

    def __init__(self, image: Image, expected: dict[str, str]) -> None:
        self.image, self.expected = image, expected


def _build_relocked(evaluation: Evaluation, of: str) -> Relocked:
    """Build the image again, with an older version of one package in poetry.lock."""
    evaluation.fact("image_id", of)
    folder = evaluation.copy("relocked")
    lock = folder / "poetry.lock"
    text = _LOCKED.sub(_OLDER, lock.read_text(encoding="utf-8"))
    lock.write_text(text, encoding="utf-8")
    try:
        return Relocked(evaluation.build(of, folder, "relocked"), _versions(text))
    except Failed as failed:
        found = f"the image does not build with another version: {failed.actual}"
        raise UserError("poetry.lock", found, "Check the network connection") from None


def _versions(lock: str) -> dict[str, str]:
    """Return the versions of the packages that the application needs on every machine."""
    import tomllib  # noqa: PLC0415 - only this check needs it

    return {
        package["name"]: package["version"]
        for package in tomllib.loads(lock)["package"]
        if "main" in package["groups"] and "markers" not in package
    }


@check(
    points=2,
    why="pip install of the wheel alone takes the newest versions, so builds can differ.",
    hint="Install the locked packages first (poetry install --only main --no-root), then the wheel "
    "with pip install --no-deps.",
)
def installs_locked_versions(relocked_image: Relocked) -> None:
    """The package versions match poetry.lock."""
    found = relocked_image.image.packages()
    for name, version in relocked_image.expected.items():
        versions = {item[1] for item in found.get(name, ())}
        if version not in versions:
            actual = f"{name} {' and '.join(sorted(versions)) or 'is not installed'}"
            raise Failed(actual, f"{name} {version}, as in the lock file used for this build")


def _stages_by_text(source: Source) -> None:
    if len(source.final().chain) == len(source.dockerfile().stages) == 1:
        raise Failed("one stage", "one stage that builds the wheel, and one that installs it")


@check(
    points=2,
    text=_stages_by_text,
    why="A wheel needs neither the source nor the build tools, so the image stays small.",
    hint="poetry build creates the wheel in dist: copy it from the builder and pip install it.",
)
def installs_wheel(image: Image) -> None:
    """The project is installed from its wheel."""
    if not image.find("**/*-packages/deathstar-*.dist-info"):
        raise Failed("deathstar is not installed", "the installed wheel")
    if not image.find("**/*-packages/deathstar/api.py"):
        actual = "deathstar is installed as a link to a source folder (editable)"
        raise Failed(actual, "the wheel's files in site-packages")


@check(
    points=2,
    why="Build tools make the image larger and give attackers more to exploit.",
    hint="Begin the last stage with its own FROM, and copy only the result from the builder.",
)
def no_build_tools(image: Image) -> None:
    """Poetry, Task and other build tools are not in the final image."""
    found = image.packages()
    tools = [name for name in _TOOLS if name in found]
    tools += [f"/{path}" for name in ("poetry", "task") for path in image.find(f"**/bin/{name}")]
    if tools:
        raise Failed(f"{', '.join(tools)} in the final image", "none of them")


@check(
    points=1,
    why="The full python image contains compilers and libraries: hundreds of MB of unused files.",
    hint="Begin the last stage with the slim variant of the image: FROM python:3.13-slim-trixie.",
)
def no_compiler(image: Image) -> None:
    """The final image contains no compiler."""
    if found := [path for name in _COMPILERS for path in image.find(f"usr/bin/{name}")]:
        actual = f"/{found[0]}, in an image of {image.stored / 1e6:.0f} MB"
        raise Failed(actual, "an image without compilers")


@check(
    points=1,
    text=config.no_entrypoint("an ENTRYPOINT that runs deathstar"),
    blame=("CMD",),
    why="With an ENTRYPOINT, arguments after the image name are passed to the program.",
    hint=_ENTRYPOINT_HINT,
)
def has_entrypoint(image: Image) -> None:
    """The image has an ENTRYPOINT."""
    if not image.entrypoint:
        raise Failed(f"no ENTRYPOINT, and CMD {' '.join(image.cmd)}", "an ENTRYPOINT")


@check(
    points=1,
    blame=("ENTRYPOINT", "CMD"),
    why="The project's own command starts the server with the right settings.",
    hint=_ENTRYPOINT_HINT,
)
def runs_deathstar_api(app: App) -> None:
    """The command deathstar api starts the server."""
    commands = [process.command for process in app.processes]
    if not any(map(_API_COMMAND.search, commands)):
        raise Failed(f"the container runs {'; '.join(commands)}", "a process deathstar api")


@check(
    points=2,
    why="A running process does not prove that the application works.",
    hint=f"Run docker run -p {PORT}:{PORT} IMAGE, then twice "
    f"curl -i -X DELETE localhost:{PORT}{PLANETS}/Yavin4",
)
def deletes_planet(app: App) -> None:
    """DELETE removes a planet, and an unknown planet returns 404."""
    requests = (
        ("GET", "Hoth", NOT_FOUND),
        ("DELETE", "Yavin4", NO_CONTENT),
        ("DELETE", "Yavin4", NOT_FOUND),
        ("GET", "Yavin4", NOT_FOUND),
    )
    for method, planet, expected in requests:
        answer = app.get(PORT, f"{PLANETS}/{planet}", method=method)
        if answer.status != expected:
            actual = f"{method} {PLANETS}/{planet}: {answer.error or f'status {answer.status}'}"
            raise Failed(actual, f"status {expected}")


TASK = Task(
    "deathstar",
    "build a wheel in one stage, and run it in another",
    "deathstar",
    folder="services/deathstar",
    answer=(FILE,),
    withheld=("README.md",),
    recipes=(Recipe(port=PORT, edit="deathstar/api.py", project="deathstar"),),
    facts={"relocked_image": _build_relocked},
    checks=(
        dockerfile.files_exist(FILE),
        dockerfile.base_image("python", tag=dockerfile.VERSION, variant="with a version"),
        poetry.pins_poetry,
        config.builds,
        config.exposes(PORT),
        content.caches_dependencies,
        installs_wheel,
        installs_locked_versions,
        no_build_tools,
        content.no_development_packages("pytest"),
        no_compiler,
        content.contains_no_secrets,
        has_entrypoint,
        server.server_starts(PORT),
        server.listens_on_all_interfaces(PORT),
        server.returns_expected_response(PORT, f"{PLANETS}/Naboo", "Naboo"),
        deletes_planet,
        runs_deathstar_api,
        user.runs_as_non_root(),
        server.server_is_process_1,
        server.stops_on_sigterm,
        server.healthcheck_works(),
    ),
)
