"""Checks whether this machine is ready for the course."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from workshop.core.errors import UserError
from workshop.machine import base_images, daemon, disk
from workshop.stack.images import IMAGES, WEB
from workshop.stack.settings import is_free

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workshop.engine import Engine, Info
    from workshop.machine.host import Host
    from workshop.stack.versions import Versions


@dataclass(frozen=True)
class Finding:
    """The result of one check of the machine, with a fix if it is not `good`."""

    thing: str
    good: bool
    found: str
    fix: str = ""

    @classmethod
    def failed(cls, error: UserError, thing: str = "") -> Self:
        """Return the finding for an error."""
        return cls(thing or error.thing, good=False, found=error.found, fix=error.fix)


def examine(engine: Engine, host: Host, versions: Versions, root: Path) -> Iterator[Finding]:
    """Check everything that the course needs, without changing anything."""
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", good=True, found=python)
    cli = shutil.which("docker")
    found = cli or "not on the PATH" + ("" if host.obstacle else ": make up installs it")
    good = bool(cli) or not host.obstacle
    yield Finding("docker command", good, found, daemon.INSTALL_DOCKER)
    if info := engine.info():
        yield from _check_engine(engine, info, versions)
    elif error := daemon.obstacle(engine, host):
        yield Finding.failed(error)
    else:
        yield Finding("Docker engine", good=True, found="none yet: make up installs and starts one")
    if not (root / ".env").exists():
        yield _check_ports()


def _check_engine(engine: Engine, info: Info, versions: Versions) -> Iterator[Finding]:
    major = info.version.partition(".")[0]
    yield Finding(
        "Docker engine",
        good=not major.isdecimal() or int(major) >= daemon.OLDEST,
        found=info.version + (" (started by the kit)" if info.ours else ""),
        fix=f"Install Docker Engine {daemon.OLDEST} or later",
    )
    for plugin in daemon.PLUGINS:
        error = daemon.missing_plugin(engine, plugin)
        present = Finding(f"docker {plugin}", good=True, found="present")
        yield Finding.failed(error) if error else present
    absent = [base.image for base in base_images.find_missing(engine, versions)]
    try:
        disk.check(info, disk.AGAIN if not absent else disk.FIRST_TIME)
        yield Finding("disk", good=True, found="enough free space")
    except UserError as full:
        yield Finding.failed(full, "disk")
    standins = [b.image for b in versions.base if engine.standin_for(b.image)]
    kind = f"{len(standins)} of them stand-ins" if standins else "pulled"
    found = f"missing: {', '.join(absent)}" if absent else f"all present, {kind}"
    yield Finding("base images", not absent, found, "Run: make bases")
    built = sum(engine.has(image.name) for image in IMAGES)
    yield Finding("images of the course", good=True, found=f"{built} of {len(IMAGES)} built")


def _check_ports() -> Finding:
    busy = ", ".join(str(web.port) for web in WEB if not is_free(web.port))
    found = f"{busy} in use: make up picks others and prints them" if busy else "free"
    return Finding("ports", good=True, found=found)
