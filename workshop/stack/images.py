"""The images that the kit builds, with the names that the lessons use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.engine import Build

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Web:
    """A compose service with a web page: its port on the host, and the variable that sets it."""

    service: str
    variable: str
    port: int
    page: str = "/"


@dataclass(frozen=True)
class Image:
    """One image: its service, its name, how it is built, and its web service."""

    service: str
    name: str
    folder: str
    dockerfile: str = "Dockerfile"
    target: str = ""
    web: Web | None = None

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

IMAGES = (
    Image("baby-steps", "poetry-ws-part-3-baby-steps:latest", "services/part-3/baby-steps"),
    Image("basic-python", "poetry-ws-part-3-basic-python:latest", "services/part-3/basic-python"),
    Image("greeter", "poetry-ws-part-3-python-poetry:latest", "services/part-3/python-poetry"),
    Image("degrees-api", "degrees_api:1.0", "services/degrees_api", web=_DEGREES),
    Image("todo-app", "todo-app:dev", _TODO, target="development", web=_DEVELOPMENT),
    Image("todo-app", "todo-app:prod", _TODO, target="production", web=_PRODUCTION),
    Image("deathstar", "deathstar:latest", "services/deathstar", web=_DEATHSTAR),
    Image("task-1", "base-image-fastapi-ubuntu-fat:test", _FASTAPI, "Dockerfile-task-1"),
    Image("task-2", "base-image-fastapi-ubuntu:test", _FASTAPI, "Dockerfile-task-2"),
    Image("task-3-1", "base-image-fastapi-fat:test", _FASTAPI, "Dockerfile-task-3-1"),
    Image("task-3-2", "base-image-fastapi:dev", _FASTAPI, "Dockerfile-task-3-2"),
    Image("task-5", "nonroot-image-fastapi:dev", _FASTAPI, "Dockerfile-nonroot", web=_HELLO),
)

WEB = tuple(image.web for image in IMAGES if image.web)

# Images that only the tests and the debugger need.
EXTRA_IMAGES = (
    Image("todo-app", "todo-app:debug", _TODO, target="debug"),
    Image("todo-app", "todo-app:test", _TODO, target="test"),
)
