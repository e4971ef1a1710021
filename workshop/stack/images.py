"""The images that the kit builds, with the names that the lessons use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.engine import Build

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


# Added to the ports of the lessons, so that `make up` and a lesson can run at the same time.
PORT_OFFSET = 10_000


@dataclass(frozen=True)
class Web:
    """A compose service with a web page: its port in the lessons, and the variable that sets it."""

    service: str
    variable: str
    lesson_port: int
    page: str = "/"

    @property
    def port(self) -> int:
        """The port that `make up` uses if it is free."""
        return self.lesson_port + PORT_OFFSET


@dataclass(frozen=True)
class Image:
    """One image: its service, its name, how it is built, and its web service.

    Editing `source` must not install packages again; changing `lock` must. `cold_seconds`
    estimates the build time without a cache: the longest build starts first.
    """

    service: str
    name: str
    folder: str
    dockerfile: str = "Dockerfile"
    target: str = ""
    web: Web | None = None
    source: str = ""
    lock: str = ""
    cold_seconds: int = 0

    def build(self, root: Path, arguments: Mapping[str, str] | None = None) -> Build:
        """Return the build of this image from the checkout at `root`."""
        context = root / self.folder
        return Build(self.name, context, context / self.dockerfile, self.target, arguments or {})


_FASTAPI = "services/fastapi"
_TODO = "services/todo-app"

_DEVELOPMENT = Web("todo-app", "TODO_PORT", 5100)
_PRODUCTION = Web("todo-production", "TODO_PRODUCTION_PORT", 5101)
_DEGREES = Web("degrees-api", "DEGREES_PORT", 5050, "/degrees")
_DEATHSTAR = Web("deathstar", "DEATHSTAR_PORT", 8080, "/docs")
_HELLO = Web("fastapi", "FASTAPI_PORT", 8000)


def _task(  # noqa: PLR0913, PLR0917 - the columns of a table
    service: str, name: str, lock: str, seconds: int, dockerfile: str = "", web: Web | None = None
) -> Image:
    """Return the image of one of the FastAPI tasks, which share their folder."""
    file = dockerfile or f"Dockerfile-{service}"
    return Image(service, name, _FASTAPI, file, "", web, "app/main.py", lock, seconds)


_TODO_SOURCE = "todo_app/views.py"
_REQUIREMENTS, _CONSTRAINTS, _LOCK = "requirements.txt", "constraints.txt", "poetry.lock"

IMAGES = (
    Image(
        "baby-steps",
        "poetry-ws-part-3-baby-steps:latest",
        "services/part-3/baby-steps",
        cold_seconds=7,
    ),
    Image(
        "basic-python",
        "poetry-ws-part-3-basic-python:latest",
        "services/part-3/basic-python",
        lock=_REQUIREMENTS,
        cold_seconds=2,
    ),
    Image(
        "greeter",
        "poetry-ws-part-3-python-poetry:latest",
        "services/part-3/python-poetry",
        source="src/greeter/cli.py",
        lock=_LOCK,
        cold_seconds=10,
    ),
    Image(
        "degrees-api",
        "degrees_api:1.0",
        "services/degrees_api",
        web=_DEGREES,
        source="degrees_api.py",
        lock=_REQUIREMENTS,
        cold_seconds=3,
    ),
    Image(
        "todo-app",
        "todo-app:dev",
        _TODO,
        target="development",
        web=_DEVELOPMENT,
        source=_TODO_SOURCE,
        lock=_LOCK,
        cold_seconds=13,
    ),
    Image(
        "todo-app",
        "todo-app:prod",
        _TODO,
        target="production",
        web=_PRODUCTION,
        source=_TODO_SOURCE,
        lock=_LOCK,
        cold_seconds=6,
    ),
    Image(
        "deathstar",
        "deathstar:latest",
        "services/deathstar",
        web=_DEATHSTAR,
        source="deathstar/api.py",
        lock=_LOCK,
        cold_seconds=22,
    ),
    _task("task-1", "base-image-fastapi-ubuntu-fat:test", _CONSTRAINTS, 56),
    _task("task-2", "base-image-fastapi-ubuntu:test", _CONSTRAINTS, 31),
    _task("task-3-1", "base-image-fastapi-fat:test", _LOCK, 21),
    _task("task-3-2", "base-image-fastapi:dev", _LOCK, 18),
    _task("task-5", "nonroot-image-fastapi:dev", _LOCK, 15, "Dockerfile-nonroot", _HELLO),
)

WEB = tuple(image.web for image in IMAGES if image.web)

# Images that only the tests and the debugger need.
EXTRA_IMAGES = (
    Image("todo-app", "todo-app:debug", _TODO, target="debug"),
    Image("todo-app", "todo-app:test", _TODO, target="test"),
)
