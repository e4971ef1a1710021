"""Split a command string into arguments, as Docker Compose does."""

from __future__ import annotations

import re

_PART = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | \\(?P<escaped>.)
      | '(?P<single>[^']*)'
      | "(?P<double>(?:\\.|[^"\\])*)"
      | (?P<kept>`[^`]*`|\$\([^)]*\))
      | (?P<end>[;&|<>])
      | (?P<plain>[^ \t\r\n\\'"`;&|<>()$]+|\$(?!\())""",
    re.VERBOSE | re.DOTALL,
)


class CommandSyntaxError(ValueError):
    """A command string with an unclosed quote or bracket, or a backslash at its end."""


def split(text: str) -> tuple[str, ...]:
    """Split `text` into arguments and remove quotes; no shell expands it.

    Like Docker Compose, drop everything from `;`, `&`, `|`, `<` or `>` on.
    """
    arguments: list[str] = []
    argument: str | None = None
    at = 0
    while at < len(text):
        part = _PART.match(text, at)
        if not part:
            raise CommandSyntaxError(f"unclosed quote or bracket: {text[at : at + 20]!r}")
        at = part.end()
        if part.lastgroup == "end":
            dropped = part[0] == ">" and argument is not None and argument[:1].isdigit()
            argument = None if dropped else argument
            break
        if part.lastgroup == "space":
            arguments += [argument] if argument is not None else []
            argument = None
        else:
            argument = (argument or "") + _unquote(part)
    return (*arguments, *([argument] if argument is not None else []))


def _unquote(part: re.Match[str]) -> str:
    if part.lastgroup == "double":
        return re.sub(r"\\(.)", r"\1", part["double"], flags=re.DOTALL)
    return part[part.lastgroup or 0]
