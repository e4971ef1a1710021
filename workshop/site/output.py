"""Compares the output in a lesson with real output, draws trees and applies edits."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from workshop.core.paths import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def trim_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """Remove trailing blanks from each line, and empty lines at the end."""
    text = "\n".join(line.rstrip() for line in lines).rstrip()
    return tuple(text.split("\n")) if any(lines) else ()


def matches(shown: Iterable[str], actual: Iterable[str]) -> bool:
    """Whether the actual output matches the shown output.

    `...` matches anything within a line; alone in a line, it matches any number of lines. Two or
    more blanks between words match two or more.
    """
    expected, found = list(trim_lines(shown)), list(trim_lines(actual))
    # The indexes of the `expected` lines that may match next, after the `found` lines so far.
    states = _skip_wildcards(expected, {0})
    for line in found:
        after = set()
        for at in states:
            if at < len(expected):
                if expected[at].strip() == "...":
                    after.add(at)
                elif _pattern(expected[at]).fullmatch(line):
                    after.add(at + 1)
        states = _skip_wildcards(expected, after)
    return len(expected) in states


def _skip_wildcards(expected: list[str], states: set[int]) -> set[int]:
    """Add the states that are reached if `...` matches no line."""
    reached = set(states)
    for at in sorted(states):
        while at < len(expected) and expected[at].strip() == "...":
            at += 1  # noqa: PLW2901
            reached.add(at)
    return reached


@cache
def _pattern(line: str) -> re.Pattern[str]:
    """Return the pattern of a line; the width of a table's gaps may differ."""
    start = len(line) - len(line.lstrip())
    parts = [
        r" {2,}".join(map(re.escape, re.split(r" {2,}", p))) for p in line[start:].split("...")
    ]
    return re.compile(re.escape(line[:start]) + ".*".join(parts))


def draw_tree(folder: Path) -> list[str]:
    """Draw a folder as the program `tree` does, with folders and files sorted together."""
    return [f"{folder.name}/", *_branches(sorted(path.split("/") for path in walk(folder)), "")]


def _branches(paths: list[list[str]], before: str) -> Iterator[str]:
    names = list(dict.fromkeys(path[0] for path in paths))
    for name in names:
        last = name == names[-1]
        below = [path[1:] for path in paths if path[0] == name and len(path) > 1]
        yield f"{before}{'└── ' if last else '├── '}{name}{'/' if below else ''}"
        yield from _branches(below, before + ("    " if last else "│   "))


def apply_edit(text: str, change: Iterable[str]) -> str:
    """Apply a diff to a text: remove `-` lines, add `+` lines, find the place by the others.

    The place must occur exactly once; otherwise a `ValueError` is raised.
    """
    lines = list(change)
    old = [line[1:] for line in lines if not line.startswith("+")]
    new = [line[1:] for line in lines if not line.startswith("-")]
    have = text.splitlines()
    places = [n for n in range(len(have) - len(old) + 1) if have[n : n + len(old)] == old]
    if len(places) != 1:
        raise ValueError(f"its place occurs {len(places)} times")
    at = places[0]
    return "\n".join([*have[:at], *new, *have[at + len(old) :]]) + "\n"
