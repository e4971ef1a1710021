"""Parse env files (`.env`) as Docker Compose does.

https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax
"""

from __future__ import annotations

import re
from collections import ChainMap
from typing import TYPE_CHECKING

from workshop.analysis.compose.interpolation import MAX_LENGTH, InterpolationError, interpolate

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE = re.compile(
    r"""[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*
    (?:[=:][ \t]*(?:
        '(?P<single>[^']*)'[ \t]*(?:\#[^\n]*)?
      | "(?P<double>(?:\\.|[^"\\])*)"[ \t]*(?:\#[^\n]*)?
      | (?P<bare>[^\n]*)
    ))?(?:\n|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_BLANK = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_COMMENT = re.compile(r"(?:^|[ \t])#.*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "$": "$$", '"': '"', "\\": "\\"}


class EnvFileError(ValueError):
    """A line that is not a NAME=value pair; `line` counts from 1."""

    def __init__(self, line: int, text: str) -> None:
        self.line = line
        super().__init__(f"line {line} is not NAME=value: {text[:80]}")


def read_env(text: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Parse the variables in `text`; a bare name gets its value from `environment`, if set there.

    Values may refer to variables in `environment` and on earlier lines. Raises `EnvFileError`
    or `InterpolationError`.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    found: dict[str, str] = {}
    known = ChainMap(dict(environment), found)
    at = length = 0
    while at < len(text):
        if blank := _BLANK.match(text, at):
            at = blank.end()
            continue
        line = _LINE.match(text, at)
        if not line:
            raise EnvFileError(text.count("\n", 0, at) + 1, text[at:].split("\n", 1)[0])
        value = _value(line, known)
        if value is not None:
            found[line["name"]] = value
            length += len(value)
        if length > MAX_LENGTH:
            raise InterpolationError(
                f"the values have more than {MAX_LENGTH:,} characters in total"
            )
        at = line.end()
    return found


def _value(line: re.Match[str], environment: Mapping[str, str]) -> str | None:
    if line["single"] is not None:
        return line["single"]
    if line["double"] is not None:
        return interpolate(_unescaped(line["double"]), environment)
    if line["bare"] is not None:
        return interpolate(_COMMENT.sub("", line["bare"]).strip(), environment)
    return environment.get(line["name"])


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), text, flags=re.DOTALL)
