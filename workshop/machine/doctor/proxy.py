"""The proxy of the network: whether it answers, and whether the engine uses it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core import proxies
from workshop.core.errors import UserError
from workshop.machine import engine_proxy
from workshop.machine.doctor.finding import Finding, Repair, State, ok
from workshop.machine.network import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workshop.core.proxies import Proxies
    from workshop.engine import Info
    from workshop.machine.doctor.subject import Subject

_SECONDS = 5.0
# The names in Docker's own configuration of its command line.
_KEYS = {"HTTP_PROXY": "httpProxy", "HTTPS_PROXY": "httpsProxy", "NO_PROXY": "noProxy"}
_DOCS = "docs.docker.com/engine/daemon/proxy"


def check_proxy(subject: Subject) -> Iterator[Finding]:
    """Check the proxy that the environment names."""
    thing, found = "proxy", subject.proxies
    if not found:
        yield ok(thing, "none is set (HTTPS_PROXY)")
        return
    shown = proxies.without_password(found.https)
    fix = "Correct HTTPS_PROXY, or unset it if this network has no proxy"
    wanted = "HTTPS_PROXY=http://HOST:PORT, where a proxy answers"
    faults = ((url, proxies.find_fault(url)) for url in dict.fromkeys((found.https, found.http)))
    for url, fault in faults:
        if fault := fault or (_find_obstacle(url) if subject.online else ""):
            text = f"{proxies.without_password(url)}: {fault}"
            yield Finding(thing, State.PROBLEM, text, wanted, fix)
            return
    yield ok(thing, shown, wanted)
    yield from _check_builds(subject, found)


def _find_obstacle(url: str) -> str:
    """Return why nothing answers at the address of a proxy; empty if something does."""
    address = proxies.address(url)

    def connect() -> str:
        try:
            socket.create_connection(address, _SECONDS).close()
        except OSError as error:
            return error.strerror or str(error)
        return ""

    return within(_SECONDS, connect, f"no answer within {_SECONDS:.0f} s")


def _check_builds(subject: Subject, found: Proxies) -> Iterator[Finding]:
    """Check that pulls and the steps of builds get through the proxy too."""
    thing, info = "proxy of builds", subject.info
    host, _ = proxies.address(found.https)
    if host in proxies.LOOPBACK:
        text = f"{host} means the container itself in a build step"
        fix = "Name the proxy by an address that containers reach, such as that of docker0"
        yield Finding(thing, State.PROBLEM, text, "an address in the network", fix)
    elif not info:
        yield ok(thing, "the engine that make up starts gives it to every step")
    elif info.shares_proxy or (info.proxy and _has_service_settings(subject)):
        yield ok(thing, "the engine gives it to every step, with the certificates")
    elif not info.proxy:
        yield _judge_engine(subject, thing, info)
    else:
        yield from _check_docker_config(subject, found, info)


def _has_service_settings(subject: Subject) -> bool:
    return subject.service_settings.exists() and subject.engine.is_here


def _judge_engine(subject: Subject, thing: str, info: Info) -> Finding:
    """Return the finding about an engine that was started without the proxy."""
    fix, repair = f"Give it the proxy ({_DOCS}), and restart it", None
    if info.ours:
        fix = "End it (kill $(cat /run/docker.pid)), and start it again with make up"
    elif _has_service_settings(subject):
        fix = "Restart it: systemctl restart docker"
    elif subject.host.systemd and subject.host.root and subject.engine.is_here:
        file = subject.service_settings
        action = f"Add the proxy to Docker's service, in {file}, for its next start"
        repair = Repair(action, lambda: _configure_service(subject))
    text, wanted = "the engine was started without it", "an engine with the proxy"
    return Finding(thing, State.PROBLEM, text, wanted, fix, repair)


def _configure_service(subject: Subject) -> None:
    engine_proxy.configure_service(subject.environ, subject.service_settings)
    subject.machine.run(["systemctl", "daemon-reload"], timeout=_SECONDS)


def _check_docker_config(subject: Subject, found: Proxies, info: Info) -> Iterator[Finding]:
    """Check that the docker command passes the proxy to builds: the engine does not."""
    thing, file = "proxy of builds", _config_file(subject.environ)
    wanted = {_KEYS[name]: found.variables[name] for name in _KEYS}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        if json.loads(file.read_text(encoding="utf-8"))["proxies"]["default"]["httpsProxy"]:
            text = f"{proxies.without_password(info.proxy)}, and steps get one from {file}"
            yield ok(thing, text)
            return
    fix = f"Add proxies.default to {file} (docs.docker.com/engine/cli/proxy)"
    repair = Repair(f"Add the proxy to {file}", lambda: add_proxies(file, wanted))
    text = f"the steps of a build get none: {file} has no proxies"
    yield Finding(thing, State.PROBLEM, text, "proxies.default with httpsProxy", fix, repair)


def _config_file(environ: Mapping[str, str]) -> Path:
    folder = environ.get("DOCKER_CONFIG", "")
    return (Path(folder) if folder else Path.home() / ".docker") / "config.json"


def add_proxies(file: Path, settings: Mapping[str, str]) -> None:
    """Add default proxies to Docker's configuration; everything else in it stays."""
    try:
        config = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        config.setdefault("proxies", {})["default"] = dict(settings)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = file.with_name(f"{file.name}.part")
        part.unlink(missing_ok=True)
        # It may hold passwords, as Docker's own does.
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(config, out, indent=2)
        part.replace(file)
    except (OSError, ValueError, AttributeError) as error:
        raise UserError(str(file), str(error), "Correct it, then run this again") from None
