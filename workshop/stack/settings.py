"""The two `.env` files of a checkout, which are never committed."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core.errors import UserError
from workshop.stack.images import WEB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from workshop.stack.images import Web

# Before the path of the checkout that a `.env` was written for.
_MARK = "# Checkout: "
_PLACE = re.compile(rf"^{_MARK}(.*[^\r\n])", re.MULTILINE)
_GENERATED_NAME = re.compile(r"^COMPOSE_PROJECT_NAME=(workshop-[0-9a-f]{6})\r?$", re.MULTILINE)

TODO_FOLDER = "services/todo-app"


def write_missing(
    root: Path, report: Callable[[str], None], environ: Mapping[str, str] = os.environ
) -> None:
    """Write those of the two files that do not exist, and `report` it line by line."""
    own = root / ".env"
    if not own.exists():
        _write(own, _compose_settings(root, report, environ))
    todo = root / TODO_FOLDER / ".env"
    if not todo.exists():
        template = _read_template(todo.parent / ".env.template")
        report(f"Writing {TODO_FOLDER}/.env from its template, with a new secret key")
        key = f"SECRET_KEY={secrets.token_hex(32)}"
        _write(todo, re.sub(r"^SECRET_KEY=.*$", key, template, flags=re.MULTILINE))


def adopt(
    root: Path, report: Callable[[str], None], environ: Mapping[str, str] = os.environ
) -> None:
    """Give a `.env` that was copied with a checkout its own project name and free ports.

    Otherwise two checkouts would start, and stop, the same containers. Everything else stays, and
    so does a name that a person wrote. A checkout that was moved keeps its project, and its data.
    """
    path = root / ".env"
    text = _read(path)
    place, name = _PLACE.search(text), _GENERATED_NAME.search(text)
    own = _project_name(root)
    if not name or name[1] == own or (place and place[1] == str(root)):
        return
    if not place or Path(place[1]).exists():
        other = place[1] if place else "another checkout"
        report(f".env was copied from {other}: its project is now {own}, not {name[1]}")
        text = text.replace(name[1], own)
        text = _replace_busy_ports(text, report, environ)
    mark = f"{_MARK}{root}"
    text = _PLACE.sub(lambda _: mark, text) if place else f"{mark}\n{text}"
    _rewrite(path, text)


def check(root: Path) -> None:
    """Raise a `UserError` about a line that Docker would misread; a file may be missing."""
    for path in (root / ".env", root / TODO_FOLDER / ".env"):
        if not path.exists():
            continue
        name = path.relative_to(root)
        if not path.is_file():
            raise UserError(str(name), "it is not a file", "Remove it: make up writes it")
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            if fault := _find_fault(line):
                raise UserError(f"{name}, line {number}", *fault)


def read_ports(root: Path) -> dict[Web, int]:
    """Return the ports in the checkout's `.env`; empty if it does not exist."""
    return _parse_ports(_read(root / ".env"))


def read_project(root: Path) -> str:
    """Return the name of the checkout's compose project; empty if `.env` does not set it."""
    found = re.search(r"^COMPOSE_PROJECT_NAME=(\S+)\r?$", _read(root / ".env"), re.MULTILINE)
    return found[1] if found else ""


def move_ports(
    root: Path, webs: Iterable[Web], report: Callable[[str], None] = lambda _line: None
) -> None:
    """Give services other ports in `.env`, which are free, and `report` it line by line."""
    path, ports = root / ".env", read_ports(root)
    text, taken = _read(path), set(ports.values())
    for web in webs:
        free = _pick_port(web, ports[web], taken, report)
        text = text.replace(f"{web.variable}={ports[web]}", f"{web.variable}={free}")
    _rewrite(path, text)


def is_free(port: int) -> bool:
    """Whether no program listens on `port` of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _compose_settings(root: Path, report: Callable[[str], None], environ: Mapping[str, str]) -> str:
    """Return the checkout's `.env`: a compose project name, and free ports."""
    lines = [
        "# The settings of this checkout. Written by `make up`; you may change them.",
        f"{_MARK}{root}",
        f"COMPOSE_PROJECT_NAME={_project_name(root)}",
        "COMPOSE_IGNORE_ORPHANS=1",
    ]
    if hasattr(os, "getuid") and os.getuid():
        lines += [f"USER_UID={os.getuid()}", f"USER_GID={os.getgid()}"]
    given = (environ.get(web.variable, "") for web in WEB)
    taken = {int(port) for port in given if port.isdigit()}
    for web in WEB:
        if web.variable in environ:
            continue
        lines.append(f"{web.variable}={_pick_port(web, web.port, taken, report)}")
    return "\n".join(lines) + "\n"


def _project_name(root: Path) -> str:
    """Two checkouts may be in folders of the same name: a hash of the path differs."""
    return f"workshop-{hashlib.sha256(str(root).encode()).hexdigest()[:6]}"


def _replace_busy_ports(
    text: str, report: Callable[[str], None], environ: Mapping[str, str]
) -> str:
    """Replace each port of a copied `.env` that a program, maybe the other checkout's, uses."""
    ports = _parse_ports(text)
    taken = set(ports.values())
    for web, port in ports.items():
        if web.variable not in environ and not is_free(port):
            free = _pick_port(web, port, taken, report)
            text = text.replace(f"{web.variable}={port}", f"{web.variable}={free}")
    return text


def _pick_port(web: Web, first: int, taken: set[int], report: Callable[[str], None]) -> int:
    """Return the first free port from `first` on, and add it to those that are `taken`."""
    port = first
    while port in taken or not is_free(port):
        port += 1
    taken.add(port)
    if port != first:
        report(f"Port {first} is in use: {web.service} gets {port} ({web.variable} in .env)")
    return port


def _find_fault(line: bytes) -> tuple[str, str] | None:
    """Return the fault of a line and its fix, without the value, which may be a secret."""
    try:
        raw = line.decode("utf-8")
    except UnicodeDecodeError:
        return "it is not UTF-8 text", "Save the file as UTF-8"
    text = raw.strip()
    if not text or text.startswith("#"):
        return None
    name, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return "it does not have the form NAME=value", "Write NAME=value, no spaces"
    if value[:1] in {'"', "'"}:
        found = f"the value of {name} is in quotes, which docker run --env-file keeps as part of it"
        return found, "Remove the quotes"
    if value != value.strip() or " #" in value or "$" in value or raw.endswith(" "):
        found = f"the value of {name} has a blank at an end, a comment after it, or a dollar sign"
        reason = "which docker compose and docker run --env-file read differently"
        return f"{found}, {reason}", "Remove it"
    return None


def _parse_ports(text: str) -> dict[Web, int]:
    lines = {web: re.search(rf"^{web.variable}=(\d{{1,5}})\r?$", text, re.MULTILINE) for web in WEB}
    return {web: int(line[1]) for web, line in lines.items() if line}


def _read(path: Path) -> str:
    """Return a settings file; empty if there is none, or if `check` reports it."""
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, ValueError):
        return ""


def _rewrite(path: Path, text: str) -> None:
    """Write a settings file again; raise a `UserError` if that is impossible."""
    try:
        _write(path, text)
    except OSError as error:
        fix = "Make it writable, or delete it: make up writes it again"
        raise UserError(path.name, error.strerror or "it cannot be written", fix) from None


def _read_template(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        fix = f"Restore it with: git checkout {path.name}"
        raise UserError(path.name, str(error.strerror), fix) from None


def _write(path: Path, text: str) -> None:
    """Write `path` completely or not at all, readable only by its owner."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    part.replace(path)
