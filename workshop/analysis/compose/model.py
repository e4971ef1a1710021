"""The parts of a compose file that the kit reads, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class BuildSpec:
    """A service's build section; `context` is relative to the compose file's folder.

    `dockerfile` is relative to the context. Both are inside the folder.
    """

    context: str
    dockerfile: str = "Dockerfile"
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True)
class EnvFile:
    """An env file: its path inside the folder, relative to it."""

    path: str
    required: bool = True


@dataclass(frozen=True)
class Mount:
    """A bind mount, a volume or a tmpfs.

    `source` is a path in the folder for a bind mount, a name for a volume, and empty for a tmpfs
    or an anonymous volume. With `create`, Docker creates a missing source.
    """

    kind: str
    source: str
    target: str
    read_only: bool = False
    create: bool = False
    line: int = 0


@dataclass(frozen=True)
class Port:
    """A published port; `published` is empty for any free port, or a range such as `8000-8009`."""

    host: str
    published: str
    target: int
    protocol: str = "tcp"


@dataclass(frozen=True)
class Healthcheck:
    """A service's health check; durations are as written (`30s`), or empty."""

    test: tuple[str, ...] = ()
    disable: bool = False
    interval: str = ""
    timeout: str = ""
    start_period: str = ""
    start_interval: str = ""
    retries: str = ""


@dataclass(frozen=True)
class Watch:
    """One rule of `develop.watch`."""

    action: str
    path: str
    target: str = ""


@dataclass(frozen=True)
class Service:
    """One service. A `command` or `entrypoint` of None means the image's default."""

    name: str
    image: str = ""
    build: BuildSpec | None = None
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    env_files: tuple[EnvFile, ...] = ()
    ports: tuple[Port, ...] = ()
    mounts: tuple[Mount, ...] = ()
    profiles: tuple[str, ...] = ()
    init: bool = False
    user: str = ""
    working_dir: str = ""
    depends_on: Mapping[str, str] = field(default_factory=dict)
    tty: bool = False
    stdin_open: bool = False
    read_only: bool = False
    cap_drop: tuple[str, ...] = ()
    restart: str = ""
    healthcheck: Healthcheck | None = None
    develop_watch: tuple[Watch, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class Refusal:
    """A setting that the grader refuses to run; `where` is its path in the file."""

    where: str
    line: int
    found: str
    why: str


@dataclass(frozen=True)
class Problem:
    """An error that keeps Docker Compose from starting, or a key that it does not know."""

    line: int
    text: str


@dataclass(frozen=True)
class Compose:
    """A compose file: its services, problems and refusals."""

    services: Mapping[str, Service] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    obsolete_version: bool = False
