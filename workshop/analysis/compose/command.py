"""A command written as one text, split into words as docker compose splits it."""

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
    """The text is no list of words: a quote, a bracket or a backslash is left open."""


def split(text: str) -> tuple[str, ...]:
    """The words of `text`: quotes are taken away, and no shell reads it.

    What follows `;`, `&`, `|`, `<` or `>` is dropped, as docker compose drops it.
    """
    words: list[str] = []
    word: str | None = None
    at = 0
    while at < len(text):
        part = _PART.match(text, at)
        if not part:
            raise CommandSyntaxError(f"{text[at : at + 20]!r} opens what nothing closes")
        at = part.end()
        if part.lastgroup == "end":
            dropped = part[0] == ">" and word is not None and word[:1].isdigit()
            word = None if dropped else word
            break
        if part.lastgroup == "space":
            words += [word] if word is not None else []
            word = None
        else:
            word = (word or "") + _unquote(part)
    return (*words, *([word] if word is not None else []))


def _unquote(part: re.Match[str]) -> str:
    if part.lastgroup == "double":
        return re.sub(r"\\(.)", r"\1", part["double"], flags=re.DOTALL)
    return part[part.lastgroup or 0]
