"""`Subject`: the machine that the doctor examines."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.core import proxies
from workshop.machine import base_images, engine_proxy, network

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from workshop.core.proxies import Proxies
    from workshop.engine import Engine, Info
    from workshop.machine.host import Host
    from workshop.machine.machine import Machine
    from workshop.machine.network import Answer
    from workshop.stack.versions import Versions

REGISTRY = "https://registry-1.docker.io"


@dataclass(frozen=True)
class Subject:
    """A machine with a checkout at `root`; each fact is looked up once, when a check needs it.

    Without `online`, no server is asked. `registry` is Docker Hub, and
    `service_settings` the file that gives a proxy to systemd's docker.service.
    """

    machine: Machine
    pins: Versions
    root: Path
    environ: Mapping[str, str]
    online: bool = True
    registry: str = REGISTRY
    service_settings: Path = engine_proxy.SERVICE_SETTINGS

    @property
    def engine(self) -> Engine:
        """The engine of the machine, which may not answer."""
        return self.machine.engine

    @property
    def host(self) -> Host:
        """The facts about the operating system."""
        return self.machine.host

    @functools.cached_property
    def info(self) -> Info | None:
        """What the engine reports; None if none answers."""
        return self.engine.info()

    @functools.cached_property
    def missing_bases(self) -> list[str]:
        """The base images that the engine does not have."""
        return [base.image for base in base_images.find_missing(self.engine, self.pins)]

    @functools.cached_property
    def proxies(self) -> Proxies | None:
        """The proxies that the environment names."""
        return proxies.read(self.environ)

    @functools.cached_property
    def index_url(self) -> str:
        """The URL of pip's package index."""
        return base_images.package_index(self.machine.run)

    @functools.cached_property
    def index(self) -> Answer:
        """The answer of the package index about pip, which every index has."""
        return network.ask(f"{self.index_url.rstrip('/')}/pip/", method="HEAD")

    @functools.cached_property
    def registry_url(self) -> str:
        """The registry that the engine asks first: a mirror, if it has one."""
        mirrors = self.info.mirrors if self.info else ()
        return mirrors[0].rstrip("/") if mirrors else self.registry

    @functools.cached_property
    def registry_answer(self) -> Answer:
        """The answer of the registry to the first request that Docker sends."""
        return network.ask(f"{self.registry_url}/v2/")
