"""Provides a Docker engine: one that runs already, or one that the kit installs and starts."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core.errors import UserError
from workshop.engine import KIT_LABEL
from workshop.machine import apt, engine_proxy
from workshop.machine.host import MTU_OF_ETHERNET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workshop.engine import Engine, Info
    from workshop.machine.host import Host
    from workshop.machine.machine import Machine

LOG = Path("/var/log/workshop-dockerd.log")
LOCK = Path("/run/lock/workshop-engine.lock")
PLUGINS = ("compose", "buildx")
SECONDS_TO_ANSWER = 60.0
_POLL_SECONDS = 0.1

# On a bad network DNS queries are often lost: retry soon, and often.
DNS_OPTIONS = ("--dns-opt", "timeout:1", "--dns-opt", "attempts:10")
INSTALL_DOCKER = "Install Docker (docs.docker.com/engine/install), start it, then run this again"


def ensure_engine(machine: Machine) -> Info:
    """Return the running engine's info, after starting an engine if none answers.

    Raises a `UserError` if the kit cannot start one, or if a plug-in is missing.
    """
    engine = machine.engine
    info = engine.info()
    if info is None:
        if error := obstacle(engine, machine.host):
            raise error
        with _lock():
            info = engine.info() or _set_up(machine)
    for plugin in PLUGINS:
        if error := missing_plugin(engine, plugin):
            raise error
    return info


def obstacle(engine: Engine, host: Host) -> UserError | None:
    """Return the reason why the kit cannot start an engine here, or None."""
    if engine.is_forbidden():
        fix = "Join its group (sudo usermod -aG docker $USER), then log in again"
        return UserError("Docker engine", "it runs, but you may not use it", fix)
    if host.obstacle:
        restart = "Start that engine, or unset DOCKER_HOST"
        fix = restart if host.other_engine else INSTALL_DOCKER
        return UserError("Docker engine", f"none answers, and {host.obstacle}", fix)
    return None


def missing_plugin(engine: Engine, plugin: str) -> UserError | None:
    """Return an error if the docker command lacks `plugin`, or None."""
    if not engine.lacks(plugin):
        return None
    fix = f"Install docker-{plugin}-plugin (docs.docker.com/engine/install)"
    return UserError(f"docker {plugin}", "the docker command has no such plug-in", fix)


def _set_up(machine: Machine) -> Info:
    engine, host, display = machine.engine, machine.host, machine.display
    if apt.find_missing(["dockerd", "docker", "iptables"]) or any(map(engine.lacks, PLUGINS)):
        display.print(
            "No Docker engine answers: installing one from Debian packages "
            "(WORKSHOP_NO_INSTALL=1 forbids it)"
        )
        with display.job("Docker engine", "installing") as job:
            apt.install(apt.ENGINE, host.codename, machine.run, on_line=job.line)
    with display.job("Docker engine", "starting"):
        if host.systemd:
            if engine_proxy.configure_service(os.environ):
                machine.run(["systemctl", "daemon-reload"], timeout=SECONDS_TO_ANSWER)
            machine.run(["systemctl", "start", "docker"], timeout=SECONDS_TO_ANSWER)
            return _wait(engine, lambda: True)
        dockerd = _start(host)
        return _wait(engine, lambda: dockerd.poll() is None)


def _start(host: Host) -> subprocess.Popen[bytes]:
    """Start dockerd in a separate session, so that it outlives this program and Ctrl-C."""
    proxy = engine_proxy.prepare(os.environ)
    argv = ["dockerd", "--label", KIT_LABEL, *DNS_OPTIONS, *proxy.options]
    if host.mtu < MTU_OF_ETHERNET:
        option = f"bridge=com.docker.network.driver.mtu={host.mtu}"
        argv += ["--mtu", str(host.mtu), "--default-network-opt", option]
    with LOG.open("ab") as log:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={**os.environ, **proxy.variables},
            start_new_session=True,
        )


def _wait(engine: Engine, is_alive: Callable[[], bool]) -> Info:
    """Wait until the engine answers; raise a `UserError` if it exits or takes too long."""
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    while is_alive() and time.monotonic() < deadline:
        if info := engine.info():
            return info
        time.sleep(_POLL_SECONDS)
    raise UserError("Docker engine", f"it did not start: {_last_log_line()}", f"Read {LOG}")


def _last_log_line() -> str:
    if not LOG.exists():
        return "it left no log"
    lines = LOG.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][-200:].rstrip(".") if lines else "its log is empty"


@contextlib.contextmanager
def _lock() -> Iterator[None]:
    """Prevent two checkouts from installing or starting an engine at the same time."""
    if not LOCK.parent.is_dir() or not shutil.which("dpkg"):
        yield
        return
    import fcntl  # noqa: PLC0415 - Windows has no such module

    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
