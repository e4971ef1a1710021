"""Keeps builds away from this machine's own ports, with rules of the Linux firewall.

BuildKit can connect a step only to Docker's default network, from which every port of this machine
can be reached. The rules hold for all containers on that network, until they are removed.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shlex
import shutil
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from workshop.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.core.process import Runner

BRIDGE = "docker0"
_IPTABLES = ("iptables", "--wait", "5")
_SECONDS = 30
_NEW = ("--match", "conntrack", "--ctstate", "NEW")
_REJECT = ("--jump", "REJECT")
# The addresses of the services that a cloud offers to its machines, with their credentials.
_LINK_LOCAL = "169.254.0.0/16"
# A name server on this machine.
_DNS = "53"


def is_available() -> bool:
    """Whether this process may change the firewall, and Docker's default network exists."""
    return (
        hasattr(os, "geteuid")
        and os.geteuid() == 0
        and shutil.which("iptables") is not None
        and BRIDGE in {name for _, name in socket.if_nameindex()}
    )


def block(name: str, run: Runner) -> bool:
    """Insert the rules, marked with `name`; return whether all of them were inserted."""
    codes = [run([*_IPTABLES, "--insert", *rule], timeout=_SECONDS).code for rule in _rules(name)]
    return not any(codes)


def unblock(name: str, run: Runner) -> None:
    """Delete the rules marked with `name`, existing or not."""
    listed = run([*_IPTABLES, "--list-rules"], timeout=_SECONDS)
    for line in listed.stdout.splitlines():
        words = shlex.split(line)
        if words[:1] == ["-A"] and _comment(name) in words:
            run([*_IPTABLES, "--delete", *words[1:]], timeout=_SECONDS)


def _comment(name: str) -> str:
    return f"workshop:{name}"


def _rules(name: str) -> Iterator[list[str]]:
    """Yield the rules; each is inserted above the one before."""
    tail = ["--match", "comment", "--comment", _comment(name)]
    host = ["INPUT", "--in-interface", BRIDGE]
    yield [*host, "--protocol", "tcp", *_NEW, *tail, *_REJECT]
    yield [*host, "--protocol", "udp", "!", "--destination-port", _DNS, *_NEW, *tail, *_REJECT]
    other = ["DOCKER-USER", "--in-interface", BRIDGE]
    yield [*other, "--out-interface", BRIDGE, *_NEW, *tail, *_REJECT]
    yield [*other, "--destination", _LINK_LOCAL, *tail, *_REJECT]
    for port in sorted(_ports_of_packages()):
        yield [*host, "--protocol", "tcp", "--destination-port", port, *tail, "--jump", "ACCEPT"]


@functools.cache
def _ports_of_packages() -> frozenset[str]:
    """Return the ports of this machine that packages come from: an index, or a proxy."""
    from workshop.core.process import SubprocessRunner  # noqa: PLC0415 - only for a class
    from workshop.machine.base_images import package_index  # noqa: PLC0415

    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    addresses = [os.environ.get(name) or os.environ.get(name.lower(), "") for name in names]
    with contextlib.suppress(UserError):
        addresses.append(package_index(SubprocessRunner()))
    found = set()
    for address in filter(None, addresses):
        parts = urlsplit(address if "://" in address else f"//{address}")
        if parts.hostname and _is_here(parts.hostname):
            found.add(str(parts.port or (443 if parts.scheme == "https" else 80)))
    return frozenset(found)


def _is_here(host: str) -> bool:
    """Whether a name leads to this machine: only its own addresses can be bound."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.bind(address)
    except OSError:
        return False
    return True
