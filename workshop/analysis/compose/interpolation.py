"""Interpolate variables in the values of a compose file, as Docker Compose does.

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
    """A variable with invalid syntax, or a required variable without a value."""


def interpolate(text: str, environment: Mapping[str, str], depth: int = 0) -> str:
    """Replace the variables in `text`; unset variables become empty.

    `$$`, or a `$` without a name, becomes a dollar sign. Raises `InterpolationError`.
    """
    if depth > MAX_DEPTH:
        raise InterpolationError(f"variables are nested more than {MAX_DEPTH} deep")
    parts: list[str] = []
    at = length = 0
    while (dollar := text.find("$", at)) >= 0:
        parts.append(text[at:dollar])
        value, at = _variable(text, dollar + 1, environment, depth)
        parts.append(value)
        length += len(value)
        if length > MAX_LENGTH:
            raise InterpolationError(f"the variables expand to more than {MAX_LENGTH:,} characters")
    return "".join([*parts, text[at:]])


def _variable(text: str, at: int, environment: Mapping[str, str], depth: int) -> tuple[str, int]:
    """Return the value of the variable after a `$`, and the index after that variable."""
    if text.startswith("$", at):
        return "$", at + 1
    if text.startswith("{", at):
        end = _closing(text, at)
        return _braced(text[at + 1 : end], environment, depth), end + 1
    if name := _NAME.match(text, at):
        return environment.get(name[0], ""), name.end()
    return "$", at


def _closing(text: str, at: int) -> int:
    """Return the index of the brace that closes the one at `at`."""
    depth = 0
    for brace in _BRACES.finditer(text, at):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return brace.start()
    raise InterpolationError(f"{_shorten(text[at:])} has no closing brace")


def _braced(inside: str, environment: Mapping[str, str], depth: int) -> str:
    """Return the value of `${inside}`."""
    name = _NAME.match(inside)
    if not name:
        raise InterpolationError(f"{_shorten('{' + inside + '}')} has no variable name")
    value = environment.get(name[0])
    if name.end() == len(inside):
        return value or ""
    operator = _OPERATOR.match(inside, name.end())
    if not operator:
        raise InterpolationError(f"{_shorten('{' + inside + '}')} is not a valid variable")
    given = value is not None if len(operator[0]) == 1 else bool(value)
    other = inside[operator.end() :]
    if operator[0].endswith("+"):
        return interpolate(other, environment, depth + 1) if given else ""
    if given:
        return value or ""
    if operator[0].endswith("?"):
        message = interpolate(other, environment, depth + 1)
        raise InterpolationError(f"the variable {name[0]} has no value: {message}".rstrip(": "))
    return interpolate(other, environment, depth + 1)


def _shorten(text: str) -> str:
    return "$" + (text if len(text) <= 40 else text[:40] + "...")  # noqa: PLR2004 - a line's half
