"""Variables in the words of a compose file, as docker compose fills them in.

https://docs.docker.com/reference/compose-file/interpolation/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_DEPTH = 16
MAX_LENGTH = 1_000_000

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")
_BRACES = re.compile(r"[{}]")


class InterpolationError(ValueError):
    """A variable is written wrongly, or lacks the value that it asks for."""


def interpolate(text: str, environment: Mapping[str, str], depth: int = 0) -> str:
    """`text` with its variables filled in; one that is not set is empty.

    `$$` is a dollar sign, and so is a `$` that no name follows. Raises `BadVariable`.
    """
    if depth > MAX_DEPTH:
        raise InterpolationError(f"variables stand in each other more than {MAX_DEPTH} deep")
    parts: list[str] = []
    at = length = 0
    while (dollar := text.find("$", at)) >= 0:
        parts.append(text[at:dollar])
        value, at = _variable(text, dollar + 1, environment, depth)
        parts.append(value)
        length += len(value)
        if length > MAX_LENGTH:
            raise InterpolationError(f"its variables fill more than {MAX_LENGTH:,} characters")
    return "".join([*parts, text[at:]])


def _variable(text: str, at: int, environment: Mapping[str, str], depth: int) -> tuple[str, int]:
    """The value of what follows a `$`, and where the text goes on after it."""
    if text.startswith("$", at):
        return "$", at + 1
    if text.startswith("{", at):
        end = _closing(text, at)
        return _braced(text[at + 1 : end], environment, depth), end + 1
    if name := _NAME.match(text, at):
        return environment.get(name[0], ""), name.end()
    return "$", at


def _closing(text: str, at: int) -> int:
    """Where the brace that opens `at` is closed."""
    depth = 0
    for brace in _BRACES.finditer(text, at):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return brace.start()
    raise InterpolationError(f"{_shorten(text[at:])} has no closing brace")


def _braced(inside: str, environment: Mapping[str, str], depth: int) -> str:
    """The value of `${inside}`."""
    name = _NAME.match(inside)
    if not name:
        raise InterpolationError(f"{_shorten('{' + inside + '}')} names no variable")
    value = environment.get(name[0])
    if name.end() == len(inside):
        return value or ""
    operator = _OPERATOR.match(inside, name.end())
    if not operator:
        raise InterpolationError(f"{_shorten('{' + inside + '}')} is no way to write a variable")
    given = value is not None if len(operator[0]) == 1 else bool(value)
    other = inside[operator.end() :]
    if operator[0].endswith("+"):
        return interpolate(other, environment, depth + 1) if given else ""
    if given:
        return value or ""
    if operator[0].endswith("?"):
        said = interpolate(other, environment, depth + 1)
        raise InterpolationError(f"the variable {name[0]} has no value: {said}".rstrip(": "))
    return interpolate(other, environment, depth + 1)


def _shorten(text: str) -> str:
    return "$" + (text if len(text) <= 40 else text[:40] + "...")  # noqa: PLR2004 - a line's half
