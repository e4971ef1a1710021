"""Match paths with Go's regular expressions, as far as a `.dockerignore` can contain them.

moby turns each pattern with a wildcard into a regular expression for Go's `regexp`. It escapes
`.`, `+`, `$` and parentheses, so that a pattern has no groups and no flags, but it leaves
`^`, `|`, `{2}`, classes and everything after a backslash to Go. Like Go, and unlike Python's `re`,
this module does not backtrack, so that no pattern takes long.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from typing import NamedTuple, NoReturn

Ranges = list[tuple[int, int]]

# Go reads `{,2}` and `{01}` as text, unlike Python.
_NUMBER = r"(0|[1-9][0-9]*)"
_QUANTIFIER = re.compile(rf"[*?]|\{{{_NUMBER}(,{_NUMBER}?)?\}}")
_MOST_REPEATS = 1000
# moby's translation of `**`, the only group.
_GROUP = "(.*/)"
_FOLDERS = re.compile(_GROUP)
_TEXT = {"^": r"\A", "$": r"\Z", ".": "."}
_ANCHORS = {"A": r"\A", "b": r"\b", "B": r"\B", "z": r"\Z"}
_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_HEXADECIMAL = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]+)\})")
_OCTAL = re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}")
_PROPERTY = re.compile(r"\\([pP])(?:\{([^}]*)\}|([^{]))", re.DOTALL)
_SCRIPT = re.compile(r"[A-Z][a-z]+(?:_[A-Z][a-z]+)*")
_SETS = {
    "alnum": "09AZaz",
    "alpha": "AZaz",
    "ascii": "\x00\x7f",
    "blank": "\t\t  ",
    "cntrl": "\x00\x1f\x7f\x7f",
    "digit": "09",
    "graph": "!~",
    "lower": "az",
    "print": " ~",
    "punct": "!/:@[`{~",
    "space": "\t\r  ",
    "upper": "AZ",
    "word": "09AZ__az",
    "xdigit": "09AFaf",
    # The same as `space`, but without the vertical tab.
    "perl space": "\t\n\f\r  ",
}
_PERL = {"d": "digit", "s": "perl space", "w": "word"}


class InvalidError(ValueError):
    """Go refuses the expression."""


class UnknownError(ValueError):
    """Only Go can tell what the expression matches."""


class Item(NamedTuple):
    """An atom (a character, a class, an anchor or a group), and how often it is repeated."""

    atom: re.Pattern[str]
    least: int = 1
    most: int = 1

    def follow(self, path: str, starts: set[int]) -> set[int]:
        """Return where in `path` the item can end if it begins at one of `starts`."""
        found = set(starts) if self.least == 0 else set()
        for count in range(1, self.most + 1):
            starts = {end for start in starts for end in self._ends(path, start)}
            if count >= self.least:
                if starts <= found:
                    break
                found |= starts
        return found

    def _ends(self, path: str, start: int) -> list[int]:
        if self.atom is _FOLDERS:
            stop = path.find("\n", start)
            line = range(start, stop if stop >= 0 else len(path))
            return [index + 1 for index in line if path[index] == "/"]
        found = self.atom.match(path, start)
        return [found.end()] if found else []


class Expression(NamedTuple):
    """Alternatives, each a sequence of items."""

    branches: tuple[tuple[Item, ...], ...]

    def matches(self, path: str) -> bool:
        """Whether the expression matches a part of `path`."""
        return any(self._follow(branch, path) for branch in self.branches)

    @staticmethod
    def _follow(branch: tuple[Item, ...], path: str) -> bool:
        positions = set(range(len(path) + 1))
        for item in branch:
            positions = item.follow(path, positions)
        return bool(positions)


def parse(text: str) -> Expression:
    """Parse an expression; raise `InvalidError` or `UnknownError`."""
    return Expression(tuple(map(tuple, _Parser(text).branches())))


class _Parser:
    """Parses an expression from left to right; `at` is the index of what comes next."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def branches(self) -> list[list[Item]]:
        branches: list[list[Item]] = [[]]
        repeated = False
        while self.at < len(self.text):
            branch = branches[-1]
            if found := _QUANTIFIER.match(self.text, self.at):
                if repeated or not branch:
                    self._refuse("nothing to repeat")
                branch[-1] = Item(branch[-1].atom, *self._quantifier(found))
            elif self._skips("|"):
                branches.append([])
            elif self._skips(r"\Q"):
                branch += self._literals()
            else:
                branch.append(Item(self._atom()))
            repeated = found is not None
        return branches

    def _quantifier(self, found: re.Match[str]) -> tuple[int, int]:
        """Return the smallest and the largest number of repeats."""
        self.at = found.end()
        if not found[1]:
            return 0, 1 if found[0] == "?" else sys.maxsize
        least = int(found[1])
        most = least if not found[2] else int(found[3]) if found[3] else None
        if max(least, most or 0) > _MOST_REPEATS or (most is not None and least > most):
            self._refuse("an invalid number of repeats")
        return least, sys.maxsize if most is None else most

    def _skips(self, prefix: str) -> bool:
        """Whether `prefix` comes next; move to what follows it."""
        found = self.text.startswith(prefix, self.at)
        self.at += len(prefix) * found
        return found

    def _atom(self) -> re.Pattern[str]:
        if self._skips(_GROUP):
            return _FOLDERS
        if self._skips("["):
            return _compile(self._class())
        if ranges := self._set():
            return _compile(_rendered(ranges))
        if self._skips("\\"):
            anchor = _ANCHORS.get(self._peek(), "")
            self.at += len(anchor) // 2
            return _compile(anchor or re.escape(chr(self._escape())))
        character = self._next()
        return _compile(_TEXT.get(character) or re.escape(character))

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _next(self) -> str:
        if self.at >= len(self.text):
            self._refuse("a class without an end")
        self.at += 1
        return self.text[self.at - 1]

    def _literals(self) -> list[Item]:
        r"""Translate the text of `\Qtext\E`, whose end is optional."""
        text, end, _ = self.text[self.at :].partition(r"\E")
        if not text:
            raise UnknownError(r"\Q\E")
        self.at += len(text + end)
        return [Item(_compile(re.escape(character))) for character in text]

    def _class(self) -> str:
        """Translate a class into one of Python."""
        negated = self._skips("^")
        ranges: Ranges = []
        first = True
        while first or not self._skips("]"):
            ranges += self._posix_set() or self._set() or [self._range()]
            first = False
        return _rendered(_complement(ranges) if negated else ranges)

    def _posix_set(self) -> Ranges | None:
        """Translate a set such as `[:alpha:]` or `[:^alpha:]`."""
        end = self.text.find(":]", self.at + 2)
        if not self.text.startswith("[:", self.at) or end < 0:
            return None
        name = self.text[self.at + 2 : end]
        if name.removeprefix("^") not in _SETS or " " in name:
            self._refuse(f"no set is named {name}")
        self.at = end + 2
        ranges = _named_set(name.removeprefix("^"))
        return _complement(ranges) if name.startswith("^") else ranges

    def _set(self) -> Ranges | None:
        r"""Translate a set such as `\d`, `\W`, `\pL` or `\p{Lu}`."""
        if found := _PROPERTY.match(self.text, self.at):
            self.at = found.end()
            name = found[2] if found[3] is None else found[3]
            negated = (found[1] == "P") != name.startswith("^")
            ranges = self._category(name.removeprefix("^"))
        else:
            letter = self.text[self.at + 1 : self.at + 2]
            if self._peek() != "\\" or letter.lower() not in _PERL:
                return None
            self.at += 2
            negated = letter.isupper()
            ranges = _named_set(_PERL[letter.lower()])
        return _complement(ranges) if negated else ranges

    def _category(self, name: str) -> Ranges:
        if name == "Any":
            return [(0, sys.maxunicode)]
        if ranges := _categories().get(name):
            return ranges
        if len(name) == 1 or not _SCRIPT.fullmatch(name):
            self._refuse(f"no category is named {name}")
        raise UnknownError(f"\\p{{{name}}}")  # such as \p{Greek}

    def _range(self) -> tuple[int, int]:
        first = last = self._class_character()
        if self._peek() == "-" and self.text[self.at + 1 : self.at + 2] not in {"", "]"}:
            self.at += 1
            last = self._class_character()
        if last < first:
            self._refuse(f"the range {chr(first)}-{chr(last)} is reversed")
        return first, last

    def _class_character(self) -> int:
        return self._escape() if self._skips("\\") else ord(self._next())

    def _escape(self) -> int:
        """Return the code point of the character after a backslash."""
        if found := _HEXADECIMAL.match(self.text, self.at):
            code = int(found[1] or found[2], 16)
        elif found := _OCTAL.match(self.text, self.at):
            code = int(found[0], 8)
        else:
            character = self._next()
            if not character.isascii() or (character.isalnum() and character not in _CONTROLS):
                self._refuse(f"\\{character} has no meaning")
            return ord(_CONTROLS.get(character, character))
        self.at = found.end()
        if code > sys.maxunicode:
            self._refuse(f"\\{found[0]} is no character")
        return code

    def _refuse(self, reason: str) -> NoReturn:
        raise InvalidError(reason)


@functools.lru_cache(maxsize=256)
def _compile(atom: str) -> re.Pattern[str]:
    return re.compile(atom, re.ASCII)


def _named_set(name: str) -> Ranges:
    ends = [ord(character) for character in _SETS[name]]
    return list(zip(ends[::2], ends[1::2], strict=True))


def _complement(ranges: Ranges) -> Ranges:
    missing, start = [], 0
    for first, last in sorted(ranges):
        if start < first:
            missing.append((start, first - 1))
        start = max(start, last + 1)
    return [*missing, (start, sys.maxunicode)] if start <= sys.maxunicode else missing


def _rendered(ranges: Ranges) -> str:
    """Return a class of Python."""
    inside = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)
    return f"[{inside}]" if inside else "(?!)"


@functools.cache
def _categories() -> dict[str, Ranges]:
    """Return the ranges of each Unicode category: `Lu`, and `L` for all that begin with it."""
    found: dict[str, Ranges] = {}
    for code in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(code))
        if category == "Cn":  # unassigned: part of no category in Go
            continue
        for name in (category, category[0]):
            ranges = found.setdefault(name, [])
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1] = (ranges[-1][0], code)
            else:
                ranges.append((code, code))
    return found
