"""Expand and split words with quotes, escapes and variables, by BuildKit's rules.

BuildKit's shell lexer (`frontend/dockerfile/shell`) resembles a POSIX shell but differs from it.
The differential tests compare this module with real builds.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Go's definition of whitespace, which BuildKit uses; Python's includes more characters.
SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + "\u2028\u2029\u202f\u205f\u3000"
)

MAX_DEPTH = 50
MAX_PATTERN = 256
# Linux starts no program with a longer variable (MAX_ARG_STRLEN).
MAX_EXPANSION = 1 << 17
TOO_MUCH = "variables expand to more text than the kit reads"

_NAME = re.compile(r"\d+|[^\W\d]\w*|[@*#?\-$!]")
_SPACES = re.compile(f"[{SPACE}]+")


class ShellWordError(ValueError):
    """A word that BuildKit rejects: unclosed quote, bad substitution, missing required variable."""


class TooMuchTextError(ShellWordError):
    """A word that expands to more than `MAX_EXPANSION` characters."""


class Lexer:
    """Reads a text once, from start to end.

    `raw` keeps quotes, escapes and unset variables, as BuildKit does to find heredocs;
    `keep_unset` keeps only the latter, as it does in their names.
    """

    def __init__(
        self,
        text: str,
        variables: Mapping[str, str],
        escape: str = "\\",
        *,
        raw: bool = False,
        keep_unset: bool = False,
    ) -> None:
        self._text, self._variables, self._escape, self._raw = text, variables, escape, raw
        self._keep_unset = raw or keep_unset
        self._at = 0
        self._depth = 0
        self._budget = MAX_EXPANSION
        self._literal = _literal(escape)

    def text(self) -> str:
        """Expand the whole text; raises `ShellWordError`."""
        return "".join(piece for piece, _ in self._pieces("", escapes=self._raw))

    def words(self) -> list[str]:
        """Expand the text, then split it at spaces that are neither quoted nor escaped."""
        words, word = [], ""
        for piece, splits in self._pieces("", escapes=self._raw):
            if not splits:
                word += piece
                continue
            head, *tail = _SPACES.split(piece)
            word += head
            for part in tail:
                words.append(word)
                word = part
        return [found for found in [*words, word] if found]

    def _pieces(self, stop: str, *, escapes: bool) -> list[tuple[str, bool]]:
        """Read up to `stop` (empty: the end); return pieces, and whether their spaces split."""
        pieces: list[tuple[str, bool]] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            if stop and char == stop:
                self._at += 1
                return pieces
            if char == "$":
                pieces.append((self._dollar(), True))
            elif char == "'":
                pieces.append((self._single_quoted(), False))
            elif char == '"':
                pieces.append((self._double_quoted(), False))
            elif char == self._escape:
                pieces.append((self._escaped(escapes=escapes), False))
            else:
                pieces.append((self._plain(stop), True))
        if stop:
            raise ShellWordError(f"{stop} is missing")
        return pieces

    def _plain(self, stop: str) -> str:
        found = self._literal.match(self._text, self._at)
        end = found.end() if found else self._at + 1
        if stop and (cut := self._text.find(stop, self._at, end)) >= 0:
            end = cut
        piece, self._at = self._text[self._at : end], end
        return piece

    def _escaped(self, *, escapes: bool) -> str:
        piece = self._text[self._at : self._at + 2]
        self._at += 2
        # An escape at the end of the text is dropped.
        return piece if escapes else piece[1:]

    def _single_quoted(self) -> str:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise ShellWordError("a single quote is not closed")
        start, self._at = self._at, end + 1
        return self._text[start : end + 1] if self._raw else self._text[start + 1 : end]

    def _double_quoted(self) -> str:
        mark = '"' if self._raw else ""
        pieces = [mark]
        self._at += 1
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == '"':
                self._at += 1
                return "".join([*pieces, mark])
            if char == "$":
                pieces.append(self._dollar())
            elif char == self._escape:
                pieces.append(self._escaped_in_quotes())
            else:
                pieces.append(self._quoted())
        raise ShellWordError("a double quote is not closed")

    def _quoted(self) -> str:
        start = self._at
        found = self._literal.match(self._text, start)
        self._at = found.end() if found else start + 1
        return self._text[start : self._at]

    def _escaped_in_quotes(self) -> str:
        """In double quotes, the escape only applies to a quote, a dollar sign and itself."""
        piece = self._text[self._at : self._at + 2]
        self._at += len(piece)
        if piece[1:] in {'"', "$", self._escape} and not self._raw:
            return piece[1:]
        return piece

    def _dollar(self) -> str:
        self._at += 1
        if self._text[self._at : self._at + 1] == "{":
            return self._braces()
        name = self._name()
        if not name:
            return "$"
        return self._value(name, f"${name}")

    def _name(self) -> str:
        found = _NAME.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _value(self, name: str, unset: str) -> str:
        value = self._variables.get(name)
        if value is None:
            return unset if self._keep_unset else ""
        self._budget -= len(value)
        if self._budget < 0:
            raise TooMuchTextError(TOO_MUCH)
        return value

    def _braces(self) -> str:
        self._at += 1
        name = self._name()
        operator = self._text[self._at : self._at + 1]
        self._at += 1
        if name and operator == "}":
            return self._value(name, f"${{{name}}}")
        colon = operator == ":"
        if colon:
            operator = self._text[self._at : self._at + 1]
            self._at += 1
        if not name or not operator or operator not in "+-?#%/" or (colon and operator == "/"):
            raise ShellWordError("bad substitution")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ShellWordError(f"substitutions are nested more than {MAX_DEPTH} deep")
        value = (
            self._replaced(name) if operator == "/" else self._modified(name, operator, colon=colon)
        )
        self._depth -= 1
        return value

    def _modified(self, name: str, operator: str, *, colon: bool) -> str:
        word = self._read_to("}", escapes=self._raw or operator in "#%")
        value = self._value(name, "")
        is_set = name in self._variables and not (colon and not value)
        if self._keep_unset and name not in self._variables:
            return f"${{{name}{':' * colon}{operator}{word}}}"
        if operator == "-":
            return value if is_set else word
        if operator == "+":
            return word if is_set else ""
        if operator == "?":
            if not is_set:
                raise ShellWordError(f"{name}: {word or 'is not set'}")
            return value
        return _trimmed(value, operator, word)

    def _replaced(self, name: str) -> str:
        everywhere = self._text[self._at : self._at + 1] == "/"
        self._at += everywhere
        pattern = self._read_to("/", escapes=True)
        new = self._read_to("}", escapes=True)
        value = self._value(name, f"${{{name}/{'/' * everywhere}{pattern}/{new}}}")
        if name not in self._variables or len(new) > MAX_PATTERN:
            return value
        return _glob(pattern, value, greedy=True).sub(lambda _: new, value, 0 if everywhere else 1)

    def _read_to(self, stop: str, *, escapes: bool) -> str:
        return "".join(piece for piece, _ in self._pieces(stop, escapes=escapes))


def expand(text: str, variables: Mapping[str, str], escape: str = "\\") -> str:
    """Expand variables in `text`, and remove quotes and escapes; raises `ShellWordError`."""
    if not text or _literal(escape).fullmatch(text):
        return text
    return Lexer(text, variables, escape).text()


def split(text: str, escape: str = "\\") -> list[str]:
    """Split `text` into words, keeping quotes and escapes; a quoted space does not split."""
    words = []
    for found in _word(escape).finditer(text):
        word = found[0]
        # An escape at the end of the text is dropped.
        words.append(word[:-1] if found["end"] else word)
    return [word for word in words if word]


def _trimmed(value: str, operator: str, pattern: str) -> str:
    """Remove the shortest match of `pattern` at the start (#) or end (%); doubled, the longest."""
    greedy = pattern.startswith(operator)
    step = -1 if operator == "%" else 1
    found = _glob(pattern[greedy:], value, greedy=greedy, step=step).match(value[::step])
    return value[::step][found.end() :][::step] if found else value


def _glob(pattern: str, value: str, *, greedy: bool, step: int = 1) -> re.Pattern[str]:
    """Convert a shell pattern to a regular expression: `*` and `?`, which can be escaped.

    A `step` of -1 reverses it.
    """
    pieces = re.findall(r"\\.|.", pattern, re.DOTALL)[::step]
    if pieces.count("*") > 1 or max(len(value), len(pieces)) > MAX_PATTERN:
        # Matching such a pattern could take hours.
        raise ShellWordError("a pattern is too complex for the kit to match")
    signs = {"*": ".*" if greedy else ".*?", "?": "."}
    return re.compile("".join(signs.get(piece) or re.escape(piece[-1]) for piece in pieces))


@lru_cache(maxsize=4)
def _literal(escape: str) -> re.Pattern[str]:
    return re.compile(rf"""[^'"${re.escape(escape)}]+""")


@lru_cache(maxsize=4)
def _word(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    quoted = rf"""'[^']*+(?:'|\Z)|"(?:{mark}.|[^"{mark}])*+(?:"|{mark}?\Z)"""
    bare = rf"""{mark}.|[^{SPACE}'"{mark}]++|(?P<end>{mark})\Z"""
    return re.compile(f"(?:{quoted}|{bare})++", re.DOTALL)
