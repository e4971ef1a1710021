"""Read mappings, lists, strings and booleans from a compose file, and collect its errors."""

from __future__ import annotations

import math
import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workshop.analysis.compose.model import Problem, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workshop.analysis.compose.keys import Scope
    from workshop.analysis.compose.yaml_tree import Node, Value

OUTSIDE = "the path is outside the compose file's folder"

MAX_REPORTED = 100
MAX_PATH = 4096

_SHOWN = 80
_SCIENTIFIC = 1e6
_BOOLEANS = {
    **dict.fromkeys(("true", "y", "yes", "on"), True),
    **dict.fromkeys(("false", "n", "no", "off"), False),
}


@dataclass
class Reader:
    """Reads typed values and collects errors; `environment` supplies variables without a value."""

    environment: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def problem(self, node: Node, text: str) -> None:
        """Add a problem on a node's line."""
        self.problem_at(node.line, text)

    def problem_at(self, line: int, text: str) -> None:
        """Add a problem, up to `MAX_REPORTED`."""
        if len(self.problems) < MAX_REPORTED:
            self.problems.append(Problem(line, text))

    def refuse(self, where: str, node: Node, why: str) -> None:
        """Add a refusal, up to `MAX_REPORTED`."""
        if len(self.refusals) < MAX_REPORTED:
            self.refusals.append(Refusal(where, node.line, format_value(node), why))

    def mapping(self, where: str, node: Node) -> dict[str, Node]:
        """Read a mapping without its `x-` keys; anything else is a problem, read as empty."""
        if not isinstance(node.value, dict):
            self.problem(node, f"{where} must be a mapping, not {_kind(node.value)}")
            return {}
        return {key: entry for key, entry in node.value.items() if not key.startswith("x-")}

    def fields(self, where: str, node: Node, scope: Scope) -> dict[str, Node]:
        """Read the keys of a mapping that `scope` reads; report refused and unknown keys."""
        found = self.mapping(where, node)
        for key, entry in found.items():
            path = f"{where}.{key}" if where else key
            if key in scope.refused:
                if to_python(entry) not in scope.harmless.get(key, ()):
                    self.refuse(path, entry, scope.refused[key])
            elif key not in scope.known and len(self.problems) < MAX_REPORTED:
                self.problem(
                    entry, f"{path[:_SHOWN]} is not a compose file key{_suggest(key, scope)}"
                )
        return {key: entry for key, entry in found.items() if key in scope.read}

    def items(self, where: str, node: Node | None) -> Iterator[tuple[str, Node]]:
        """Yield the entries of a list with their paths; anything else is a problem."""
        if node is None:
            return
        if not isinstance(node.value, list):
            self.problem(node, f"{where} must be a list, not {_kind(node.value)}")
            return
        for index, entry in enumerate(node.value):
            yield f"{where}[{index}]", entry

    def text(self, where: str, node: Node | None, *, numbers: bool = False) -> str:
        """Read a string, or with `numbers` also a number; else add a problem, return empty."""
        value = node.value if node else ""
        if node and isinstance(value, str):
            if "\0" in value:
                self.problem(node, f"{where} contains a NUL character")
                return ""
            return value
        if node and numbers and isinstance(value, int | float) and not isinstance(value, bool):
            return format_number(value)
        if node:
            self.problem(node, f"{where} must be a string, not {_kind(value)}")
        return ""

    def texts(self, where: str, node: Node | None) -> tuple[str, ...]:
        """Read a list of strings."""
        return tuple(self.text(path, entry) for path, entry in self.items(where, node))

    def flag(self, where: str, node: Node | None, *, default: bool = False) -> bool:
        """Read a boolean, or a string such as `yes` that a variable was replaced by."""
        if node is None:
            return default
        value = _BOOLEANS.get(node.value.lower()) if isinstance(node.value, str) else node.value
        if not isinstance(value, bool):
            self.problem(node, f"{where} must be true or false, not {format_value(node)}")
            return default
        return value

    def variables(self, where: str, node: Node | None) -> dict[str, str]:
        """Read variables from a mapping, or from a list of `NAME=value`.

        A name without a value gets it from `environment`; if unset there, it is left out.
        """
        found: dict[str, str | None] = {}
        if node is not None and isinstance(node.value, list):
            for path, entry in self.items(where, node):
                name, equals, value = self.text(path, entry).partition("=")
                found[name] = value if equals else None
        elif node is not None:
            found = {
                name: self._value(f"{where}.{name}", entry)
                for name, entry in self.mapping(where, node).items()
            }
        values = {
            name: self.environment.get(name) if value is None else value
            for name, value in found.items()
            if name
        }
        return {name: value for name, value in values.items() if value is not None}

    def path_inside(self, where: str, node: Node, path: str) -> str | None:
        """Return `path` relative to the folder; None, and a refusal, if it is outside."""
        found = relative_path(path)
        if found is None:
            self.refuse(where, node, OUTSIDE)
        return found

    def _value(self, where: str, node: Node) -> str | None:
        if node.value is None:
            return None
        if isinstance(node.value, bool):
            return str(node.value).lower()
        return self.text(where, node, numbers=True)


def relative_path(path: str) -> str | None:
    """Normalise a path in the folder, without a leading `./`; None if it is outside the folder.

    A path with a backslash, a drive letter or a `~` counts as outside.
    """
    if not 0 < len(path) <= MAX_PATH or "\\" in path or "\0" in path or path.startswith(("/", "~")):
        return None
    if re.match(r"[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]*://|[^/@]*@[^/:]*:", path):
        return None
    short = posixpath.normpath(path)
    return None if short == ".." or short.startswith("../") else short


def format_number(value: float) -> str:
    """Format a number as Docker Compose does."""
    if not math.isfinite(value):
        return {math.inf: "+Inf", -math.inf: "-Inf"}.get(value, "NaN")
    if isinstance(value, int) or 1e-4 <= abs(value) < _SCIENTIFIC or not value:  # noqa: PLR2004
        return str(value).removesuffix(".0")
    from decimal import Decimal  # noqa: PLC0415 - rarely needed

    mantissa, _, exponent = f"{Decimal(repr(value)).normalize():e}".partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:]:0>2}"


def to_python(node: Node) -> object:
    """Convert a node to plain Python values."""
    if isinstance(node.value, dict):
        return {key: to_python(entry) for key, entry in node.value.items()}
    return (
        [to_python(entry) for entry in node.value] if isinstance(node.value, list) else node.value
    )


def format_value(node: Node) -> str:
    """Format a value for a message, shortened."""
    value = to_python(node)
    text = value if isinstance(value, str) else _yaml(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _yaml(value: object) -> str:
    words = {True: "true", False: "false", None: "null"}
    if value is None or isinstance(value, bool):
        return words[value]
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_yaml(entry) for entry in value) + "]"
    return str(value)


def _kind(value: Value) -> str:
    if value is None:
        return "an empty value"
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return names[type(value)]


def _suggest(key: str, scope: Scope) -> str:
    import difflib  # noqa: PLC0415 - only needed for unknown keys

    near = difflib.get_close_matches(key[:_SHOWN], scope.known, 1)
    return f"; did you mean {near[0]}?" if near else ""
