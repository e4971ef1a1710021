"""An engine that answers: the user's own, or else one that the kit installs and starts."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core.errors import UserError
from workshop.engine import KIT_LABEL
from workshop.machine import apt
from workshop.machine.host import MTU_OF_ETHERNET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workshop.engine import Engine, Info
    from workshop.machine.host import Host
    from workshop.machine.machine import Machine

LOG = Path("/var/log/workshop-dockerd.log")
LOCK = Path("/run/lock/workshop-engine.lock")
# The major version. Before 25, no HEALTHCHECK has a --start-interval; 26 is Debian's.
OLDEST = 26
PLUGINS = ("compose", "buildx")
SECONDS_TO_ANSWER = 60.0
_POLL_SECONDS = 0.1

FORBIDDEN = "it is there, and you may not use it"
FORBIDDEN_CURE = "Join its group (sudo usermod -aG docker $USER), then log in again"
# On a bad network a question for a name is often lost: ask again soon, and often.
PATIENT_NAMES = ("--dns-opt", "timeout:1", "--dns-opt", "attempts:10")
INSTALL_CURE = "Install Docker (docs.docker.com/engine/install), start it, then run this again"


def ready(machine: Machine) -> Info:
    """Make an engine answer, and tell what it is.

    One that answers already is used as it is. A `UserError` says why none can be had.
    """
    engine, host = machine.engine, machine.host
    info = engine.info()
    if info is None:
        if engine.is_forbidden():
            raise UserError("Docker engine", FORBIDDEN, FORBIDDEN_CURE)
        if host.obstacle:
            raise UserError("Docker engine", f"none answers, and {host.obstacle}", fix(host))
        with _alone():
            info = engine.info() or _set_up(machine)
    for plugin in PLUGINS:
        if engine.lacks(plugin):
            raise UserError(
                f"docker {plugin}",
                "the docker command has no such plug-in",
                f"Install docker-{plugin}-plugin (docs.docker.com/engine/install)",
            )
    return info


def fix(host: Host) -> str:
    """What the user can do where the kit cannot start an engine."""
    return "Start that engine, or unset DOCKER_HOST" if host.other_engine else INSTALL_CURE


def _set_up(machine: Machine) -> Info:
    engine, host, display = machine.engine, machine.host, machine.display
    if apt.missing(["dockerd", "docker", "iptables"]) or any(map(engine.lacks, PLUGINS)):
        display.say(
            "No Docker engine answers: installing one from Debian's packages "
            "(WORKSHOP_NO_INSTALL=1 forbids it)"
        )
        with display.job("Docker engine", "installing") as job:
            apt.install(apt.ENGINE, host.codename, machine.run, on_line=job.line)
    with display.job("Docker engine", "starting"):
        if host.systemd:
            machine.run(["systemctl", "start", "docker"], timeout=SECONDS_TO_ANSWER)
            return _wait(engine, lambda: True)
        dockerd = _start(host)
        return _wait(engine, lambda: dockerd.poll() is None)


def _start(host: Host) -> subprocess.Popen[bytes]:
    """Start dockerd in a session of its own, so that it outlives this program and Ctrl-C."""
    argv = ["dockerd", "--label", KIT_LABEL, *PATIENT_NAMES]
    if host.mtu < MTU_OF_ETHERNET:
        option = f"bridge=com.docker.network.driver.mtu={host.mtu}"
        argv += ["--mtu", str(host.mtu), "--default-network-opt", option]
    with LOG.open("ab") as log:
        return subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True
        )


def _wait(engine: Engine, alive: Callable[[], bool]) -> Info:
    """Wait until the engine answers; one that dies, or never answers, is a `UserError`."""
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    while alive() and time.monotonic() < deadline:
        if info := engine.info():
            return info
        time.sleep(_POLL_SECONDS)
    raise UserError("Docker engine", f"it did not start: {_last_words()}", f"Read {LOG}")


def _last_words() -> str:
    if not LOG.exists():
        return "it left no log"
    lines = LOG.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][-200:].rstrip(".") if lines else "its log is empty"


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keep a second checkout from installing or starting an engine at the same time."""
    if not LOCK.parent.is_dir() or not shutil.which("dpkg"):
        yield
        return
    import fcntl  # noqa: PLC0415 - not there on Windows

    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
