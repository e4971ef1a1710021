"""The options of `RUN --mount`, as BuildKit accepts them."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TYPES = frozenset({"bind", "cache", "tmpfs", "secret", "ssh"})
_SHARING = frozenset({"shared", "private", "locked"})
_BOOLEANS = frozenset({"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false"}) | {
    "False"
}
_ALIASES = {"src": "source", "dst": "target", "destination": "target"} | {
    "readonly": "ro",
    "readwrite": "rw",
}
_WITHOUT_VALUE = frozenset({"ro", "rw", "required"})
_NUMBERS = {"uid": r"\d{1,10}", "gid": r"\d{1,10}", "mode": r"[0-7]{1,11}"}
_SIZE = re.compile(r"\d+(\.\d+)?\s?([kmgtp]i?b?|b)?", re.IGNORECASE)


class Option(NamedTuple):
    """One option; `value` is None if it has no `=`."""

    name: str
    value: str | None


def split_options(value: str) -> list[Option]:
    """Split the value of a `--mount`; raise `ValueError` if it is no list of options."""
    if not value:
        raise ValueError("--mount needs options, such as type=cache,target=/root/.cache")
    fields = value.split(",")
    if '"' in value:
        import csv  # noqa: PLC0415 - almost no mount has quotes

        try:
            fields = next(csv.reader([value], strict=True))
        except csv.Error:
            raise ValueError(f"--mount={value[:40]} has unmatched quotes") from None
    options = []
    for field in fields:
        name, sign, text = field.partition("=")
        name = name.lower()
        options.append(Option(_ALIASES.get(name, name), text if sign else None))
    return options


def check_source(value: str) -> None:
    """Raise `ValueError` if BuildKit refuses the mount even in a stage that it does not build."""
    for name, text in split_options(value):
        if name == "from" and text and re.search(r"\$.", text, re.DOTALL):
            raise ValueError("from= cannot contain a variable: name a stage instead")


def check_mount(value: str, expand: Callable[[str], str], workdir: str | None) -> None:
    """Raise `ValueError` if BuildKit refuses the mount in a stage that it builds.

    `workdir` is None if it is not known.
    """
    kind, found = "bind", {}
    for name, raw in split_options(value):
        text = None if raw is None else expand(raw)
        if name == "type":
            kind = (text or "").lower()
        _check_option(kind, name, text)
        found[name] = text or ""
    _check_combination(kind, found)
    if kind in {"bind", "cache", "tmpfs"}:
        _check_target(found.get("target", ""), workdir)


def _check_option(kind: str, name: str, value: str | None) -> None:
    known = _TYPES if name == "type" else _SHARING if name == "sharing" else None
    if value is None:
        if name not in _WITHOUT_VALUE:
            raise ValueError(f"the mount option {name[:40] or 'before a comma'} needs a value")
    elif known is not None and value.lower() not in known:
        choices = ", ".join(sorted(known))
        raise ValueError(f"the {name} of a mount is one of {choices}, not {value[:40] or 'empty'}")
    elif name in _WITHOUT_VALUE and value not in _BOOLEANS:
        raise ValueError(f"the mount option {name} is true or false, not {value[:40] or 'empty'}")
    elif name in _NUMBERS and not re.fullmatch(_NUMBERS[name], value, re.ASCII):
        raise ValueError(f"the mount option {name} is a number, not {value[:40] or 'empty'}")
    elif name == "size" and not _SIZE.fullmatch(value):
        raise ValueError(f"the size of a mount is a number of bytes, not {value[:40] or 'empty'}")
    elif name not in {*_NUMBERS, *_WITHOUT_VALUE, "type", "sharing", "size"} | {
        *("from", "source", "target", "id", "env")
    }:
        raise ValueError(f"a mount has no option named {name[:40]}")
    if (name == "size" and kind != "tmpfs") or (
        name == "required" and kind not in {"secret", "ssh"}
    ):
        raise ValueError(f"a mount of type {kind} has no option {name}")


def _check_combination(kind: str, found: Mapping[str, str]) -> None:
    for name in _NUMBERS:
        if name in found and kind in {"bind", "tmpfs"}:
            raise ValueError(f"a mount of type {kind} has no option {name}")
    if found.get("sharing") and kind != "cache":
        raise ValueError(f"a mount of type {kind} has no option sharing")
    if kind == "ssh" and found.get("source"):
        raise ValueError("a mount of type ssh has no option source")
    if kind == "secret":
        if not any(found.get(name) for name in ("source", "target", "id", "env")):
            raise ValueError("a secret mount needs id= or target=")
        if found.get("source") and found.get("id"):
            raise ValueError("a secret mount has either id= or source=")


def _check_target(target: str, workdir: str | None) -> None:
    path = posixpath.normpath(target) if target else "."
    if target == "/" or (
        workdir is not None and path[0] != "/" and posixpath.join(workdir, path) in {"/", "/."}
    ):
        raise ValueError("the target of a mount is a folder below /")
