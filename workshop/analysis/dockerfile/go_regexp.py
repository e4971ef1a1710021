"""Translate Go's regular expressions into Python's, as far as a `.dockerignore` can contain them.

moby turns each pattern with a wildcard into a regular expression for Go's `regexp`. It escapes
`.`, `+`, `$` and parentheses, so that a pattern has no groups and no flags, but it leaves
`^`, `|`, `{2}`, classes and everything after a backslash to Go.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from typing import NoReturn

Ranges = list[tuple[int, int]]

# Go reads `{,2}` and `{01}` as text, unlike Python.
_NUMBER = r"(0|[1-9][0-9]*)"
_QUANTIFIER = re.compile(rf"[*?]|\{{{_NUMBER}(,{_NUMBER}?)?\}}")
_MOST_REPEATS = 1000
_GROUP = "(.*/)"  # moby's translation of `**`
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


def compile_expression(text: str) -> re.Pattern[str]:
    """Return Python's equivalent of a Go expression; raise `InvalidError` or `UnknownError`."""
    return re.compile(_Parser(text).translate(), re.ASCII)


class _Parser:
    """Translates one expression from left to right; `at` is the index of what comes next."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def translate(self) -> str:
        whole: list[str] = []
        atoms: list[str] = []
        repeated = False
        while self.at < len(self.text):
            if found := _QUANTIFIER.match(self.text, self.at):
                if repeated or not atoms:
                    self._refuse("nothing to repeat")
                atoms[-1] = f"(?:{atoms[-1]}){self._quantifier(found)}"
            elif self._skips("|"):
                whole += [*atoms, "|"]
                atoms = []
            else:
                atoms += self._atoms()
            repeated = found is not None
        return "".join(whole + atoms)

    def _quantifier(self, found: re.Match[str]) -> str:
        self.at = found.end()
        least, most = found[1], found[3]
        if int(most or least or 0) > _MOST_REPEATS or (most and int(least) > int(most)):
            self._refuse("an invalid number of repeats")
        return found[0]

    def _skips(self, prefix: str) -> bool:
        """Whether `prefix` comes next; move to what follows it."""
        found = self.text.startswith(prefix, self.at)
        self.at += len(prefix) * found
        return found

    def _atoms(self) -> list[str]:
        """Translate what a quantifier can follow: a character, a class, an anchor or a group."""
        if self._skips(_GROUP):
            return [f"(?:{_GROUP[1:]}"]
        if self._skips("["):
            return [self._class()]
        if self._skips(r"\Q"):
            return self._literals()
        if ranges := self._set():
            return [_rendered(ranges)]
        if self._skips("\\"):
            if anchor := _ANCHORS.get(self._peek()):
                self.at += 1
                return [anchor]
            return [re.escape(chr(self._escape()))]
        character = self._next()
        return [_TEXT.get(character) or re.escape(character)]

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _next(self) -> str:
        if self.at >= len(self.text):
            self._refuse("a class without an end")
        self.at += 1
        return self.text[self.at - 1]

    def _literals(self) -> list[str]:
        r"""Translate the text of `\Qtext\E`, whose end is optional."""
        text, end, _ = self.text[self.at :].partition(r"\E")
        if not text:
            raise UnknownError(r"\Q\E")
        self.at += len(text + end)
        return [re.escape(character) for character in text]

    def _class(self) -> str:
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
        if _SCRIPT.fullmatch(name) and len(name) > 1:  # such as \p{Greek}
            raise UnknownError(f"\\p{{{name}}}")
        self._refuse(f"no category is named {name}")

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
