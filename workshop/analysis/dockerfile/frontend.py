"""The `syntax` directive, which names the image that BuildKit pulls to read the rest of the file.

BuildKit looks for it in more places than Docker documents: in comments that begin with `#` or `//`,
also below a `#!` line, and in a file that is a JSON object.
"""

from __future__ import annotations

import json
import re

from workshop.analysis.dockerfile.parser import split_reference

# Builds of the frontend that is built into BuildKit.
OFFICIAL = ("docker/dockerfile", "docker/dockerfile-upstream")

_DIRECTIVE = re.compile(r"(#|//)\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(\S.*)")


def find_syntax(text: str) -> str:
    """Return the image that BuildKit would pull to read `text`; empty if there is none.

    Finds at least what BuildKit finds.
    """
    for _, name, value in _directives(text):
        if name == "syntax":
            return value.split()[0]
    try:
        found = json.loads(_body(text))
    except (ValueError, RecursionError):
        return ""
    syntax = found.get("syntax") if isinstance(found, dict) else None
    return syntax if isinstance(syntax, str) else ""


def is_official(syntax: str) -> bool:
    """Whether `syntax` names Docker's own frontend, which BuildKit has built in."""
    return split_reference(syntax)[0] in OFFICIAL


def without_syntax(text: str) -> str:
    """Return `text` without its `syntax` directives, and with the same number of lines.

    An `escape` directive moves up, because a plain comment ends the directives.
    """
    lines = text.split("\n")
    directives = list(_directives(text))
    kept = [lines[number] for number, name, _ in directives if name != "syntax"]
    for number, _, _ in directives:
        lines[number] = kept.pop(0) if kept else "#"
    return "\n".join(lines)


def _directives(text: str) -> list[tuple[int, str, str]]:
    """Return the index of the line, the name and the value of each directive."""
    found = []
    for number, line in enumerate(text.split("\n")):
        match = _DIRECTIVE.fullmatch(line.removeprefix("\ufeff").strip())
        if match:
            found.append((number, match[2].lower(), match[3].strip()))
        elif number or not line.removeprefix("\ufeff").startswith("#!"):
            break
    return found


def _body(text: str) -> str:
    text = text.removeprefix("\ufeff")
    return text.partition("\n")[2] if text.startswith("#!") else text
