"""Which files of a build context a `.dockerignore` excludes, as BuildKit decides it.

Source: moby/patternmatcher (`ignorefile` and `patternmatcher`), and the filter of
tonistiigi/fsutil, which asks it for each path from the top down.
"""

from __future__ import annotations

import functools
import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis.dockerfile.shell_words import SPACE
from workshop.model import Failed

if TYPE_CHECKING:
    from collections.abc import Callable

_EXPECTED = "a pattern such as *.log, **/.env or !README.md"
_BOM = "\ufeff"
_LONGEST_LINE = 64 * 1024 - 1  # bytes
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# moby escapes these, but neither { } | ^ nor anything after a backslash.
_ESCAPED = frozenset(".+()$")
# Go's filepath.Match: a class is not empty, and `-` and `]` in it need a backslash.
_ITEM = r"(\\.|[^\\\]-])(?:-(\\.|[^\\\]-]))?"
_CLASS = rf"\[\^?+(?:{_ITEM})++\]"
_CHUNK = re.compile(rf"\*{{0,}}+((?:\\.|{_CLASS}|[^\\\[*])*+)", re.DOTALL)


class Pattern(NamedTuple):
    """One pattern; with `excepts`, it brings files back that earlier patterns exclude."""

    text: str
    excepts: bool
    line: int
    file: str

    def matches(self, path: str) -> bool:
        """Whether the pattern matches a whole path; raise `Failed` if Go cannot compile it."""
        return _matcher(self.text, self.line, self.file)(path)

    @property
    def folder(self) -> str:
        """The path below which an exception can match."""
        return self.text.removesuffix("/**").removesuffix("/*")


class IgnoreFile(NamedTuple):
    """The patterns of a `.dockerignore`, in order."""

    patterns: tuple[Pattern, ...]

    def excludes(self, path: str) -> bool:
        """Whether the build context lacks `path`, which is relative to the context.

        Raise `Failed` if the build stops at this path because of an invalid pattern. BuildKit
        compiles a pattern when it is first needed: after `*`, an invalid one does no harm.
        """
        parts = path.split("/")
        matched: tuple[bool, ...] = (False,) * len(self.patterns)
        excluded = False
        for count in range(1, len(parts) + 1):
            parent = "/".join(parts[:count])
            excluded, matched = self._match(parent, matched)
            if excluded and self._skips(parent):
                break
        return excluded

    def _match(self, path: str, parent: tuple[bool, ...]) -> tuple[bool, tuple[bool, ...]]:
        """Return whether `path` is excluded, and which patterns match it or its `parent`."""
        excluded = False
        found = []
        for pattern, inherited in zip(self.patterns, parent, strict=True):
            # An exception changes nothing unless the path is excluded so far, and vice versa.
            useful = pattern.excepts == excluded
            matches = inherited or (useful and pattern.matches(path))
            found.append(matches)
            if matches:
                excluded = not pattern.excepts
        return excluded, tuple(found)

    def _skips(self, folder: str) -> bool:
        """Whether BuildKit reads nothing in an excluded folder: no exception is below it.

        BuildKit compares texts here, so that it skips `app` in spite of `!other|app/*`.
        """
        exceptions = [pattern.folder for pattern in self.patterns if pattern.excepts]
        wild = any(set(exception) & set("*[]?^\\") for exception in exceptions)
        return not wild and not any(f"{it}/".startswith(f"{folder}/") for it in exceptions)


@functools.lru_cache(maxsize=32)
def parse(text: str, file: str = ".dockerignore") -> IgnoreFile:
    """Parse a `.dockerignore`; raise `Failed` for a pattern with which no build starts."""
    lines = []
    for number, raw in enumerate(text.removeprefix(_BOM).split("\n"), 1):
        if len(raw.encode()) > _LONGEST_LINE:
            actual = f"a line of more than {_LONGEST_LINE} bytes"
            raise Failed(actual, "one pattern in each line", line=number, file=file)
        line = raw.strip(SPACE)
        if line and not raw.startswith("#"):
            lines.append((number, _read(line)))
    if all(line.isascii() for _, line in lines):
        _refuse_control_characters(lines, file)
    patterns = (_pattern(line, number, file) for number, line in lines)
    return IgnoreFile(tuple(pattern for pattern in patterns if pattern))


def _refuse_control_characters(lines: list[tuple[int, str]], file: str) -> None:
    """Raise `Failed` for what BuildKit cannot send; it encodes patterns only if one is not ASCII.

    It sends them as the header of a request.
    """
    for number, line in lines:
        if found := _CONTROL.search(line):
            actual = f"the pattern {line!r} is invalid: it contains {found[0]!r}"
            raise Failed(actual, "no control characters", line=number, file=file)


def _read(line: str) -> str:
    """Return what moby's reader makes of a line: `! /a//b` becomes `!a/b`."""
    mark, text = ("!", line[1:].strip(SPACE)) if line.startswith("!") else ("", line)
    text = _clean(text) if text else ""
    return mark + (text.removeprefix("/") if len(text) > 1 else text)


def _pattern(line: str, number: int, file: str) -> Pattern | None:
    """Return the pattern of a line; None if it is empty after all.

    moby's matcher trims and cleans a second time, and looks for `!` only then: `a/ /` becomes
    `a/ `, and then `a`; `/!a` becomes `!a`, which is an exception.
    """
    if not line.strip(SPACE):
        return None
    cleaned = _clean(line.strip(SPACE))
    text = cleaned.removeprefix("!")
    if not text or not _is_valid(text):
        actual = f"the pattern {line} is invalid"
        raise Failed(actual, _EXPECTED, line=number, file=file)
    return Pattern(text, cleaned.startswith("!"), number, file)


def _is_valid(text: str) -> bool:
    """Whether moby accepts a pattern before it compiles it.

    moby calls `filepath.Match(text, ".")`, which reads the text up to a `*` only: it goes on, up
    to the next `*`, if that much matches a dot.
    """
    for _ in range(2):
        found = _CHUNK.match(text)
        if not found or text[found.end() : found.end() + 1] not in {"", "*"}:
            return False
        if not _matches_dot(found[1]):
            break
        text = text[found.end() :]
    return True


def _matches_dot(chunk: str) -> bool:
    if not re.fullmatch(_CLASS, chunk, re.DOTALL):
        return chunk in {".", "?", "\\."}
    negated = chunk[1] == "^"
    ranges = re.findall(_ITEM, chunk[1 + negated : -1], re.DOTALL)
    return negated != any(first[-1] <= "." <= (last or first)[-1] for first, last in ranges)


def _clean(path: str) -> str:
    """Return the shortest equivalent of a path, as Go's `filepath.Clean` does."""
    cleaned = posixpath.normpath(path)
    return "/" + cleaned.lstrip("/") if cleaned.startswith("/") else cleaned


@functools.lru_cache(maxsize=512)
def _matcher(text: str, line: int, file: str) -> Callable[[str], bool]:
    """Return what decides whether a pattern matches a path; what is below it does not count."""
    bare = text.removeprefix(_BOM)  # moby skips it in regular expressions
    # Without a wildcard, moby compares the texts, so that ^ and | stand for themselves.
    if not _has_wildcard(bare):
        return lambda path: path == text
    if bare.endswith("**") and not _has_wildcard(bare[:-2]) and bare != "**":
        return lambda path: path.startswith(text[:-2])
    if bare.startswith("**") and not _has_wildcard(bare[2:]):
        # `**name`, without a slash, matches any path that ends so. moby counts bytes.
        tail = text.encode()[2:]
        return lambda path: path.encode().endswith(tail) or f"/{path}".encode() == tail
    expression, at = "^", 0
    while at < len(bare):
        part, at = _next(bare, at)
        expression += part
    return _compile(expression + "$", text, line, file)


def _has_wildcard(text: str) -> bool:
    return bool(set(text) & set("*?[]\\"))


def _next(text: str, at: int) -> tuple[str, int]:
    """Translate the part of a pattern at an index for Go; return it and the index after it."""
    character = text[at]
    if text.startswith("**", at):
        at += 3 if text.startswith("**/", at) else 2
        return (".*" if at >= len(text) else "(.*/)?"), at
    if character == "\\":
        return text[at : at + 2], at + 2
    known = {"*": "[^/]*", "?": "[^/]"}
    escaped = f"\\{character}" if character in _ESCAPED else character
    return known.get(character, escaped), at + 1


def _compile(expression: str, text: str, line: int, file: str) -> Callable[[str], bool]:
    from workshop.analysis.dockerfile import go_regexp  # noqa: PLC0415 - few need it

    try:
        return go_regexp.parse(expression).matches
    except go_regexp.InvalidError as error:  # such as the range [z-a]
        actual = f"the pattern {text} is invalid: {error}"
        raise Failed(actual, _EXPECTED, line=line, file=file) from None
    except go_regexp.UnknownError as error:
        actual = f"the workshop cannot tell what the pattern {text} matches, because of {error}"
        raise Failed(actual, _EXPECTED, line=line, file=file) from None
