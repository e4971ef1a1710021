"""Read a service's bind mounts, volumes and tmpfs mounts, in short and long syntax."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.analysis.compose.keys import BIND, MOUNT
from workshop.analysis.compose.model import Mount

if TYPE_CHECKING:
    from workshop.analysis.compose.reader import Reader
    from workshop.analysis.compose.yaml_tree import Node

_KINDS = ("bind", "volume", "tmpfs")
_HARMLESS = frozenset(
    ("", "ro", "rw", "z", "Z", "nocopy", "cached", "delegated", "consistent", "private", "rprivate")
)
_PROPAGATION = "this option shares mounts between the container and the host"


def read_mounts(reader: Reader, where: str, node: Node | None) -> tuple[Mount, ...]:
    """Read a service's volumes; sources outside the folder are refused and left out."""
    found = [
        _long(reader, path, entry) if isinstance(entry.value, dict) else _short(reader, path, entry)
        for path, entry in reader.items(where, node)
    ]
    return tuple(mount for mount in found if mount)


def read_tmpfs(reader: Reader, where: str, node: Node | None) -> tuple[Mount, ...]:
    """Read the key `tmpfs`, a string or a list."""
    if node is None:
        return ()
    texts = (
        reader.texts(where, node) if isinstance(node.value, list) else (reader.text(where, node),)
    )
    return tuple(
        Mount("tmpfs", "", text.partition(":")[0], line=node.line) for text in texts if text
    )


def _short(reader: Reader, where: str, node: Node) -> Mount | None:
    """`[SOURCE:]TARGET[:OPTIONS]`."""
    text = reader.text(where, node)
    if "\\" in text or re.match("[A-Za-z]:/", text):
        reader.refuse(where, node, "this looks like a Windows path: use a path that starts with ./")
        return None
    parts = text.split(":")
    if len(parts) > 3 or not parts[-1] or not parts[0]:  # noqa: PLR2004 - source, target, options
        reader.problem(node, f"{where} is not a valid mount: {text[:80]}")
        return None
    if len(parts) == 1:
        return Mount("volume", "", text, line=node.line)
    source, target = parts[:2]
    options = set(parts[2].split(",")) if len(parts) > 2 else set()  # noqa: PLR2004
    if not options <= _HARMLESS:
        reader.refuse(where, node, _PROPAGATION)
        return None
    read_only = "ro" in options
    if source.startswith((".", "/", "~")):
        inside = reader.path_inside(where, node, source)
        bind = Mount("bind", inside or "", target, read_only, create=True, line=node.line)
        return bind if inside else None
    return Mount("volume", source, target, read_only, line=node.line)


def _long(reader: Reader, where: str, node: Node) -> Mount | None:
    fields = reader.fields(where, node, MOUNT)
    kind = reader.text(f"{where}.type", fields.get("type"))
    source = reader.text(f"{where}.source", fields.get("source"))
    target = reader.text(f"{where}.target", fields.get("target"))
    read_only = reader.flag(f"{where}.read_only", fields.get("read_only"))
    bind = reader.fields(f"{where}.bind", fields["bind"], BIND) if "bind" in fields else {}
    create = reader.flag(f"{where}.bind.create_host_path", bind.get("create_host_path"))
    if kind not in _KINDS:
        reader.refuse(
            f"{where}.type", fields.get("type", node), "the type must be bind, volume or tmpfs"
        )
        return None
    if not target:
        reader.problem(node, f"{where} needs a target")
        return None
    if kind == "bind":
        inside = reader.path_inside(f"{where}.source", fields.get("source", node), source)
        mount = Mount(kind, inside or "", target, read_only, create=create, line=node.line)
        return mount if inside else None
    return Mount(kind, source if kind == "volume" else "", target, read_only, line=node.line)
