"""Which files of a build context a `.dockerignore` excludes, as BuildKit decides it.

Source: moby/patternmatcher (`ignorefile` and `patternmatcher`), and the filter of
tonistiigi/fsutil, which asks it for each path from the top down.
"""

from __future__ import annotations

import functools
import posixpath
import re
import warnings
from typing import NamedTuple

from workshop.model import Failed

_ESCAPES = {letter: f"\\{letter}" for letter in "afnrtvdDsSwWbBA"} | {"z": r"\Z"}
_ESCAPED = frozenset(".+()|{}$")
# Go's filepath.Match: a class is not empty, and `-` and `]` in it need a backslash.
_ITEM = r"(?:\\.|[^\\\]-])"
_VALID = re.compile(rf"(?:\\.|\[\^?(?:{_ITEM}(?:-{_ITEM})?)+\]|[^\\\[])*", re.DOTALL)


class Pattern(NamedTuple):
    """One pattern; with `excepts`, it brings files back that earlier patterns exclude."""

    text: str
    excepts: bool
    regex: re.Pattern[str]


class IgnoreFile(NamedTuple):
    """The patterns of a `.dockerignore`, in order."""

    patterns: tuple[Pattern, ...]

    def excludes(self, path: str) -> bool:
        """Whether the build context lacks `path`, which is relative to the context."""
        parts = path.split("/")
        matched: tuple[bool, ...] = (False,) * len(self.patterns)
        excluded = False
        for count in range(1, len(parts) + 1):
            excluded, matched = self._match("/".join(parts[:count]), matched)
        return excluded

    def _match(self, path: str, parent: tuple[bool, ...]) -> tuple[bool, tuple[bool, ...]]:
        """Return whether `path` is excluded, and which patterns match it or its `parent`."""
        excluded = False
        found = []
        for pattern, inherited in zip(self.patterns, parent, strict=True):
            # An exception changes nothing unless the path is excluded so far, and vice versa.
            useful = pattern.excepts == excluded
            matches = inherited or (useful and pattern.regex.match(path) is not None)
            found.append(matches)
            if matches:
                excluded = not pattern.excepts
        return excluded, tuple(found)


@functools.lru_cache(maxsize=32)
def parse(text: str, file: str = ".dockerignore") -> IgnoreFile:
    """Parse a `.dockerignore`; raise `Failed` for a pattern with which no build starts."""
    patterns = []
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = raw.strip()
        if line and not raw.startswith("#"):
            patterns.append(_pattern(line, number, file))
    return IgnoreFile(tuple(patterns))


def _pattern(line: str, number: int, file: str) -> Pattern:
    excepts = line.startswith("!")
    text = line[1:].strip() if excepts else line
    text = _clean(text).removeprefix("/") if text else ""
    # moby trims and cleans a second time: `a/ /` becomes `a/ `, and then `a`.
    text = _clean(text.strip()) if text.strip() else ""
    actual = f"the pattern {line} is invalid"
    expected = "a pattern such as *.log, **/.env or !README.md"
    if (excepts and not text) or not _VALID.fullmatch(text):
        raise Failed(actual, expected, line=number, file=file)
    try:
        return Pattern(text, excepts, _compile(text))
    except re.error as error:  # such as the range [z-a]
        raise Failed(f"{actual}: {error.msg}", expected, line=number, file=file) from None


def _clean(path: str) -> str:
    """Return the shortest equivalent of a path, as Go's `filepath.Clean` does."""
    cleaned = posixpath.normpath(path)
    return "/" + cleaned.lstrip("/") if cleaned.startswith("/") else cleaned


def _compile(text: str) -> re.Pattern[str]:
    """Return a regular expression that matches a whole path, though not what is below it."""
    if text in {"", "."}:
        return re.compile(r"(?!)")  # the context itself: its files are matched one by one
    # Without a wildcard, moby compares the texts, so that a ^ stands for itself.
    if not _has_wildcard(text):
        return re.compile(rf"{re.escape(text)}\Z")
    if text.endswith("**") and not _has_wildcard(text[:-2]):
        return re.compile(rf"(?s:{re.escape(text[:-2])}.*)")
    if text.startswith("**") and not _has_wildcard(text[2:]):
        # `**name`, without a slash, matches any path that ends so.
        tail = text[2:]
        whole = rf"|{re.escape(tail[1:])}\Z" if tail.startswith("/") else ""
        return re.compile(rf"(?s:.*{re.escape(tail)}\Z{whole})")
    expression, at = "", 0
    while at < len(text):
        part, at = _next(text, at)
        expression += part
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # "[[" has no special meaning
        return re.compile(rf"(?s:{expression})\Z", re.ASCII)


def _has_wildcard(text: str) -> bool:
    return bool(set(text) & set("*?[]\\"))


def _next(text: str, at: int) -> tuple[str, int]:
    """Translate the part of a pattern at an index; return it and the index after it."""
    character = text[at]
    if text.startswith("**", at):
        at += 3 if text.startswith("**/", at) else 2
        return (".*" if at >= len(text) else "(?:.*/)?"), at
    if character == "\\":
        # moby hands the two characters to Go's regexp: \* is a star, but \a is the bell.
        return _ESCAPES.get(text[at + 1], re.escape(text[at + 1])), at + 2
    known = {"*": "[^/]*", "?": "[^/]"}
    escaped = f"\\{character}" if character in _ESCAPED else character
    return known.get(character, escaped), at + 1
