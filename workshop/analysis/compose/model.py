"""What a compose file says, as far as the kit lets a learner's file say it: frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class BuildSpec:
    """How a service's image is built; `context` is relative to the compose file's folder.

    `dockerfile` is relative to the context. Neither leads out of the folder.
    """

    context: str
    dockerfile: str = "Dockerfile"
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True)
class EnvFile:
    """A file of variables, relative to the folder and inside it."""

    path: str
    required: bool = True


@dataclass(frozen=True)
class Mount:
    """A bind mount, a volume or a tmpfs.

    `source` is a path in the folder for a bind, a name for a volume, and empty for a tmpfs and
    a volume without a name. `create` says that docker makes a missing source.
    """

    kind: str
    source: str
    target: str
    read_only: bool = False
    create: bool = False
    line: int = 0


@dataclass(frozen=True)
class Port:
    """A published port; `published` is empty for any free one, or a range `8000-8009`."""

    host: str
    published: str
    target: int
    protocol: str = "tcp"


@dataclass(frozen=True)
class Healthcheck:
    """How a service's health is asked for; durations are as written (`30s`), empty if not."""

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
    """One service. A `command` or `entrypoint` of None is the image's own."""

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
    """Something that the kit does not run for a learner: `where` is its path in the file."""

    where: str
    line: int
    found: str
    why: str


@dataclass(frozen=True)
class Problem:
    """Something with which docker compose could not start, or that means nothing to it."""

    line: int
    text: str


@dataclass(frozen=True)
class Compose:
    """A compose file: its services, and whatever is wrong with it."""

    services: Mapping[str, Service] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    obsolete_version: bool = False
