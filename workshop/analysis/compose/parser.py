"""Parse a learner's compose file without Docker Compose.

Docker Compose trusts its input, and a submission is not trusted. So the kit parses the file,
compares its keys with the lists in `keys`, and runs a compose file that `emit` writes.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from workshop.analysis.compose.interpolation import InterpolationError, interpolate
from workshop.analysis.compose.keys import NETWORK, TOP, VOLUME
from workshop.analysis.compose.model import Compose, Problem, Service
from workshop.analysis.compose.reader import Reader
from workshop.analysis.compose.service import read_service
from workshop.analysis.compose.yaml_tree import Node, YamlError, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_ENTRIES = 100
# The only problem that does not keep Docker Compose from starting.
OBSOLETE = "version is obsolete and ignored: remove it"

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def read(data: str | bytes, environment: Mapping[str, str]) -> Compose:
    """Parse a compose file; never raises, whatever the bytes.

    Variables come from `environment`, except `PWD`, which is the folder itself.
    """
    reader = Reader({**environment, "PWD": "."})
    try:
        root = parse(data)
    except YamlError as error:
        return Compose(problems=(Problem(error.line, error.text),))
    if root is None or root.value is None:
        return Compose(problems=(Problem(1, "the file is empty"),))
    return _compose(reader, _interpolated(reader, root))


def _compose(reader: Reader, root: Node) -> Compose:
    top = reader.fields("", root, TOP) if isinstance(root.value, dict) else {}
    if "services" not in top:
        reader.problem(root, "the file has no services")
    services = {
        name: read_service(reader, name, node)
        for name, node in _named(reader, "services", top.get("services"))
    }
    volumes = _declared(reader, "volumes", top.get("volumes"))
    networks = _declared(reader, "networks", top.get("networks"))
    for service in services.values():
        _check_names(reader, service, services, volumes)
    _check_cycles(reader, services)
    _check_networks(reader, top.get("services"), networks)
    if "version" in top:
        reader.problem(top["version"], OBSOLETE)
    return Compose(
        services, volumes, tuple(reader.problems), tuple(reader.refusals), "version" in top
    )


def _interpolated(reader: Reader, node: Node) -> Node:
    """Interpolate the strings of a tree; a string with an invalid variable stays as it is."""
    if isinstance(node.value, dict):
        return replace(
            node, value={key: _interpolated(reader, entry) for key, entry in node.value.items()}
        )
    if isinstance(node.value, list):
        return replace(node, value=[_interpolated(reader, entry) for entry in node.value])
    if not isinstance(node.value, str) or "$" not in node.value:
        return node
    try:
        return replace(node, value=interpolate(node.value, reader.environment))
    except InterpolationError as error:
        reader.problem(node, f"{error}; write $$ for a literal dollar sign")
        return node


def _named(reader: Reader, where: str, node: Node | None) -> list[tuple[str, Node]]:
    """Return the entries of a top-level mapping whose names are valid."""
    found = reader.mapping(where, node) if node else {}
    for name, entry in found.items():
        if not _NAME.fullmatch(name):
            reader.problem(entry, f"{where} has an invalid name: {name[:80]}")
    named = [(name, entry) for name, entry in found.items() if _NAME.fullmatch(name)]
    if len(named) > MAX_ENTRIES:
        reader.problem(named[MAX_ENTRIES][1], f"{where} has more than {MAX_ENTRIES} entries")
    return named[:MAX_ENTRIES]


def _declared(reader: Reader, where: str, node: Node | None) -> tuple[str, ...]:
    """Return the names of the volumes or networks that the file declares."""
    scope = VOLUME if where == "volumes" else NETWORK
    entries = _named(reader, where, node) if node and node.value is not None else []
    for name, entry in entries:
        if entry.value is not None:
            reader.fields(f"{where}.{name}", entry, scope)
    return tuple(name for name, _ in entries)


def _check_names(
    reader: Reader, service: Service, services: Mapping[str, Service], volumes: tuple[str, ...]
) -> None:
    """Report volumes and services that a service refers to and the file does not declare."""
    where = f"services.{service.name}"
    for mount in service.mounts:
        if mount.kind == "volume" and mount.source and mount.source not in volumes:
            text = f"{where} mounts the volume {mount.source[:80]}, which the file does not declare"
            reader.problem_at(mount.line, text)
    for name in service.depends_on:
        if name not in services:
            text = f"{where} depends on {name[:80]}, which is not a service"
            reader.problem_at(service.line, text)


def _check_cycles(reader: Reader, services: Mapping[str, Service]) -> None:
    """Report services that depend on each other in a cycle."""
    waiting = {
        name: set(service.depends_on) & services.keys() for name, service in services.items()
    }
    while free := [name for name, others in waiting.items() if not others & waiting.keys()]:
        for name in free:
            del waiting[name]
    for name in waiting:
        text = f"services.{name} depends on itself through depends_on"
        reader.problem_at(services[name].line, text)


def _check_networks(reader: Reader, services: Node | None, networks: tuple[str, ...]) -> None:
    """Report networks that a service joins and the file does not declare."""
    entries = services.value if services and isinstance(services.value, dict) else {}
    for service, node in entries.items():
        joined = node.value.get("networks") if isinstance(node.value, dict) else None
        if joined is None or not isinstance(joined.value, list | dict):
            continue
        names = (
            joined.value
            if isinstance(joined.value, dict)
            else reader.texts(f"services.{service}.networks", joined)
        )
        for name in names:
            if name not in (*networks, "default"):
                text = f"services.{service} joins the undeclared network {name[:80]}"
                reader.problem(joined, text)
