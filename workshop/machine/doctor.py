"""Is this machine ready for the course, and what to do if not."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """One thing looked at: whether it is as it should be, what it is, and the cure if not."""

    thing: str
    good: bool
    found: str
    fix: str = ""


def examine(engine: Engine, host: Host, versions: Versions, root: Path) -> Iterator[Finding]:
    """Look at everything that the course needs, changing nothing."""
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", good=True, found=python)
    cli = shutil.which("docker")
    found = cli or "not on the PATH" + ("" if host.obstacle else ": make up installs it")
    good = bool(cli) or not host.obstacle
    yield Finding("docker command", good, found, daemon.INSTALL_CURE)
    info = engine.info()
    if info is None:
        yield _no_engine(engine, host)
    else:
        yield from _with_engine(engine, info, versions)
    if not (root / ".env").exists():
        yield from _ports()


def _no_engine(engine: Engine, host: Host) -> Finding:
    if engine.is_forbidden():
        return Finding(
            "Docker engine", good=False, found=daemon.FORBIDDEN, fix=daemon.FORBIDDEN_CURE
        )
    if host.obstacle:
        return Finding(
            "Docker engine", good=False, found=f"none; {host.obstacle}", fix=daemon.fix(host)
        )
    return Finding("Docker engine", good=True, found="none yet: make up installs and starts one")


def _with_engine(engine: Engine, info: Info, versions: Versions) -> Iterator[Finding]:
    major = info.version.partition(".")[0]
    yield Finding(
        "Docker engine",
        good=not major.isdecimal() or int(major) >= daemon.OLDEST,
        found=info.version + (" (started by the kit)" if info.ours else ""),
        fix=f"Install Docker Engine {daemon.OLDEST} or later",
    )
    for plugin in daemon.PLUGINS:
        lacks = engine.lacks(plugin)
        fix = f"Install docker-{plugin}-plugin"
        yield Finding(f"docker {plugin}", not lacks, "missing" if lacks else "there", fix)
    absent = [base.image for base in base_images.missing(engine, versions)]
    try:
        disk.check(info, disk.AGAIN if not absent else disk.FIRST_TIME)
        yield Finding("disk", good=True, found="room enough")
    except UserError as error:
        yield Finding("disk", good=False, found=error.found, fix=error.fix)
    standins = [b.image for b in versions.base if engine.standin_for(b.image)]
    kind = f"{len(standins)} of them stand-ins" if standins else "pulled"
    found = f"missing: {', '.join(absent)}" if absent else f"all there, {kind}"
    yield Finding("base images", not absent, found, "Run: make bases")
    built = sum(engine.has(image.name) for image in IMAGES)
    yield Finding("images of the course", good=True, found=f"{built} of {len(IMAGES)} built")


def _ports() -> Iterator[Finding]:
    busy = ", ".join(str(web.port) for web in WEB if not is_free(web.port))
    found = f"{busy} taken: make up picks others and says which" if busy else "free"
    yield Finding("ports", good=True, found=found)
