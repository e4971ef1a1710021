"""Read a service's ports, in short and long syntax."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.analysis.compose.keys import PORT
from workshop.analysis.compose.model import Port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.analysis.compose.reader import Reader
    from workshop.analysis.compose.yaml_tree import Node

MAX_PORTS = 1000

_RANGE = r"\d{1,5}(?:-\d{1,5})?"
_SHORT = re.compile(
    rf"(?:(?:(?P<host>\[[0-9A-Fa-f:.]+\]|[0-9.]+|[0-9A-Fa-f:]*:[0-9A-Fa-f:]*):)?"
    rf"(?P<published>{_RANGE})?:)?(?P<target>{_RANGE})(?:/(?P<protocol>[A-Za-z]+))?"
)
_PROTOCOLS = ("tcp", "udp", "sctp")
_LAST = 65535
_LONGEST = 80


def read_ports(reader: Reader, where: str, node: Node | None) -> tuple[Port, ...]:
    """Read a service's ports; ranges become one port each."""
    found: list[Port] = []
    for path, entry in reader.items(where, node):
        found += (
            _long(reader, path, entry)
            if isinstance(entry.value, dict)
            else _short(reader, path, entry)
        )
        if len(found) > MAX_PORTS:
            reader.problem(entry, f"{where} has more than {MAX_PORTS} ports")
            return tuple(found[:MAX_PORTS])
    return tuple(dict.fromkeys(found))


def _short(reader: Reader, where: str, node: Node) -> Iterator[Port]:
    """`[[HOST:]PUBLISHED:]TARGET[/PROTOCOL]`."""
    text = reader.text(where, node, numbers=True)
    # The pattern is slow on long texts, and no valid port is long.
    found = _SHORT.fullmatch(text) if len(text) <= _LONGEST else None
    protocol = (found["protocol"] or "tcp").lower() if found else ""
    targets = _range(found["target"]) if found else range(0)
    published = _range(found["published"], 0) if found and found["published"] else None
    if not found or not targets or protocol not in _PROTOCOLS or published == range(0):
        reader.problem(node, f"{where} is not a valid port: {text[:80]}")
        return
    host = (found["host"] or "").strip("[]")
    if published is None:
        yield from (Port(host, "", target, protocol) for target in targets)
    elif len(targets) == 1:
        yield Port(host, found["published"], targets[0], protocol)
    elif len(published) != len(targets):
        reader.problem(node, f"{where} has ranges of different lengths: {text[:80]}")
    else:
        for outer, target in zip(published, targets, strict=True):
            yield Port(host, str(outer), target, protocol)


def _long(reader: Reader, where: str, node: Node) -> Iterator[Port]:
    """A mapping with `target`, and optionally `published`, `host_ip` and `protocol`."""
    fields = reader.fields(where, node, PORT)
    target = fields.get("target")
    targets = _range(reader.text(f"{where}.target", target, numbers=True))
    if len(targets) != 1:
        reader.problem(target or node, f"{where}.target must be a port from 1 to {_LAST}")
        return
    published = reader.text(f"{where}.published", fields.get("published"), numbers=True)
    if published and not _range(published, 0):
        reader.problem(
            fields["published"], f"{where}.published is not a valid port: {published[:80]}"
        )
        return
    protocol = reader.text(f"{where}.protocol", fields.get("protocol")) or "tcp"
    host = reader.text(f"{where}.host_ip", fields.get("host_ip"))
    yield Port(host, published, targets[0], protocol)


def _range(text: str, least: int = 1) -> range:
    """Parse `8000` or `8000-8009`; empty if invalid, or if a port is below `least`."""
    first, _, last = text.partition("-")
    if not re.fullmatch(_RANGE, text):
        return range(0)
    low, high = int(first), int(last or first)
    return range(low, high + 1) if least <= low <= high <= _LAST else range(0)
