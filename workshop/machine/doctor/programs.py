"""Python, the docker command, its plug-ins and the engine, with their versions."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from workshop.machine import daemon
from workshop.machine.doctor.finding import Finding, Repair, State, from_error, ok
from workshop.stack.versions import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.machine.doctor.subject import Subject
    from workshop.stack.versions import Feature, Versions

_INSTALL = "docs.docker.com/engine/install"
_OLDEST_PYTHON = (3, 11)


def check_python(_subject: Subject) -> Iterator[Finding]:
    """Report the version of Python, without a newer one of which the kit does not start."""
    found = ".".join(map(str, sys.version_info[:3]))
    yield ok("Python", found, f"{'.'.join(map(str, _OLDEST_PYTHON))} or later")


def check_command(subject: Subject) -> Iterator[Finding]:
    """Check for the docker command, which the kit can install with an engine."""
    if cli := shutil.which("docker"):
        yield ok("docker command", cli)
    elif subject.host.obstacle:
        found, fix = "it is not on the PATH", daemon.INSTALL_DOCKER
        yield Finding("docker command", State.PROBLEM, found, "a docker command", fix)
    else:
        yield ok("docker command", "not on the PATH: make up installs it")


def check_engine(subject: Subject) -> Iterator[Finding]:
    """Check that an engine answers, and that it is new enough for every lesson."""
    thing, info = "Docker engine", subject.info
    if info:
        remark = " (started by the kit)" if info.ours else ""
        yield judge_version("engine", thing, info.version, subject.pins, remark)
    elif error := daemon.obstacle(subject.engine, subject.host):
        yield from_error(error, wanted="an engine that answers")
    else:
        fix = "Run make up, which installs and starts one from Debian packages"
        repair = Repair(
            "Install a Docker engine from Debian packages, if there is none, and start it",
            lambda: daemon.ensure_engine(subject.machine),
        )
        found = "none answers yet"
        yield Finding(thing, State.WARNING, found, "an engine that answers", fix, repair)


def check_plugins(subject: Subject) -> Iterator[Finding]:
    """Check that the docker command has its plug-ins, and that they are new enough."""
    if not shutil.which("docker"):
        return
    for plugin in daemon.PLUGINS:
        thing, version = f"docker {plugin}", subject.engine.plugin_version(plugin)
        if version:
            yield judge_version(plugin, thing, version, subject.pins)
        elif error := daemon.missing_plugin(subject.engine, plugin):
            yield from_error(error, wanted="the plug-in")


def judge_version(
    program: str, thing: str, version: str, pins: Versions, remark: str = ""
) -> Finding:
    """Compare a version with those that the features of the lessons need."""
    features = [feature for feature in pins.feature if feature.program == program]
    lowest = max((feature.lowest for feature in features), key=number, default="")
    wanted = f"{lowest} or later" if lowest else ""
    lacking = [feature for feature in features if number(version) < number(feature.lowest)]
    fix = f"Install a newer Docker ({_INSTALL}), or update Docker Desktop"
    if lacking:
        found = f"{version}{remark} lacks " + "; ".join(map(_describe, lacking))
        return Finding(thing, State.PROBLEM, found, wanted, fix)
    tested = getattr(pins.tested, program)
    if number(version) < number(tested):
        found = f"{version}{remark} is older than any that the kit is tested with"
        return Finding(thing, State.WARNING, found, f"{tested} or later", fix)
    return ok(thing, f"{version}{remark}", wanted)


def _describe(feature: Feature) -> str:
    users = ", ".join((*feature.commands, *feature.lessons))
    return f"{feature.name} (since {feature.lowest}), which {users} use" + (
        "s" if len(feature.commands + feature.lessons) == 1 else ""
    )
