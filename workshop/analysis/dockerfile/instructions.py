"""Split a Dockerfile into instructions as BuildKit's parser does, without expanding variables."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from workshop.analysis.dockerfile.shell_words import SPACE, Lexer, ShellWordError


def _no_constant(name: str) -> None:
    """Reject NaN and Infinity, which only Python's JSON decoder accepts."""
    raise ValueError(name)


KEYWORDS = frozenset(
    {"ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL"}
    | {"MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}
)
MAX_LINE = 65535

_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(\S.*)")
_DIRECTIVES = {"escape", "syntax", "check"}
_SPACES = re.compile(f"[{SPACE}]+")
_KEYWORD_END = re.compile(r"[\t\v\f\r ]+")
_FLAG = re.compile(
    rf"""[{SPACE}]*+(--(?:\\.|'(?:\\.|[^'\\])*+(?:'|\Z)|"(?:\\.|[^"\\])*+(?:"|\Z)|[^{SPACE}\\'"]++)*+)""",
    re.DOTALL,
)
_FLAG_MARKS = re.compile(
    r"""'((?:\\.|[^'\\])*+)(?:'|\Z)|"((?:\\.|[^"\\])*+)(?:"|\Z)|\\(.)|\\\Z|['"]""", re.DOTALL
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_HEREDOC = re.compile(r"\d*<<(-?+)([^<]+)")
_JSON = frozenset({"ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"})
_WITH_HEREDOCS = frozenset({"ADD", "COPY", "RUN"})
_JSON_LIST = json.JSONDecoder(parse_constant=_no_constant)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Heredoc(NamedTuple):
    """Text in the Dockerfile below an instruction that uses it as input.

    With `expand`, the delimiter is unquoted, so variables are expanded. With `strip`, it was opened
    with `<<-`, and `body` has no tabs at the start of lines.
    """

    name: str
    body: str
    expand: bool
    strip: bool


class Problem(NamedTuple):
    """An error that makes a build fail, or syntax that the kit does not read; `line` is from 1."""

    line: int
    text: str


class Instruction(NamedTuple):
    """One instruction, from its first line to its last, including heredoc bodies.

    `text` is the rest after the keyword and flags: lines joined, comments removed. `flags` are
    (name, value) pairs without dashes; a missing value is empty. `exec_form` is the JSON list,
    None in shell form. `values` are the arguments after BuildKit's variable expansion (for ENV,
    `name=value` pairs), and `expanded` joins them. `bare_flags` are the flags without a `=`.
    """

    keyword: str
    line: int
    end: int
    text: str
    flags: tuple[tuple[str, str], ...] = ()
    exec_form: tuple[str, ...] | None = None
    heredocs: tuple[Heredoc, ...] = ()
    expanded: str = ""
    values: tuple[str, ...] = ()
    bare_flags: tuple[str, ...] = ()

    def flag(self, name: str) -> str | None:
        """Return the value of the last flag named `name`; None if there is none."""
        return dict(self.flags).get(name)

    @property
    def mounts(self) -> list[dict[str, str]]:
        """The options of each `--mount`, by name; an option without a value is empty."""
        values = [value for name, value in self.flags if name == "mount"]
        return [dict(part.partition("=")[::2] for part in value.split(",")) for value in values]


class ParsedText(NamedTuple):
    """The instructions of a file in order, and its `escape` and `syntax` directives."""

    instructions: tuple[Instruction, ...]
    problems: tuple[Problem, ...]
    escape: str
    syntax: str


def read(text: str) -> ParsedText:
    """Read every instruction in `text`; never raises."""
    reader = _Reader(text)
    reader.read_directives()
    instructions = tuple(reader.read_instructions())
    return ParsedText(instructions, tuple(reader.problems), reader.escape, reader.syntax)


class SplitLine(NamedTuple):
    """The parts of one joined line: the keyword in upper case, the flags, the arguments."""

    keyword: str
    flags: tuple[tuple[str, str], ...]
    text: str
    bare_flags: tuple[str, ...]


def split_instruction(line: str) -> SplitLine:
    """Split one joined line into keyword, flags and arguments."""
    keyword, *rest = _KEYWORD_END.split(line.strip(SPACE), maxsplit=1)
    text, flags, at = rest[0] if rest else "", [], 0
    bare = []
    while "--" in text and (found := _FLAG.match(text, at)):
        at = found.end()
        if found[1] == "--":
            break
        name, sign, value = _FLAG_MARKS.sub(_unquote, found[1][2:]).partition("=")
        flags.append((name, value))
        if not sign:
            bare.append(name)
    keyword = keyword.upper() if keyword.isascii() else keyword
    return SplitLine(keyword, tuple(flags), text[at:].strip(SPACE), tuple(bare))


def _unquote(found: re.Match[str]) -> str:
    quoted = found[1] if found[1] is not None else found[2]
    return found[3] or "" if quoted is None else _ESCAPED.sub(r"\1", quoted)


def parse_exec_form(keyword: str, text: str) -> tuple[str, ...] | None:
    """Parse the exec form; None in shell form. Raises `ValueError` if not all items are strings."""
    if "[" not in text:
        return None
    if keyword == "HEALTHCHECK":
        text = "".join(_SPACES.split(text, maxsplit=1)[1:])
    elif keyword not in _JSON:
        return None
    text = text.lstrip(SPACE)
    if not text.startswith("["):
        return None
    try:
        # BuildKit before 0.16 ignores text after the list.
        found, _ = _JSON_LIST.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(word, str) for word in found):
        raise ValueError("a JSON array must hold strings only")
    if "\\u" in text:
        return tuple(_LONE_SURROGATE.sub("\ufffd", word) for word in found)
    return tuple(found)


class _Reader:
    """Reads the lines of a file from first to last."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        if not self._lines[-1]:
            self._lines.pop()
        self._at = 0
        self.problems: list[Problem] = []
        self.escape, self.syntax = "\\", ""

    def read_directives(self) -> None:
        """Read the directives, which are comments at the very top of the file."""
        seen: set[str] = set()
        for number, line in enumerate(self._lines, 1):
            found = _DIRECTIVE.fullmatch(line.strip(SPACE))
            name = found[1].lower() if found else ""
            if not found or name not in _DIRECTIVES:
                return
            if name in seen:
                self._problem(number, f"duplicate directive: {name}")
            elif name == "syntax":
                self.syntax = found[2]
            elif name == "escape" and found[2] in {"\\", "`"}:
                self.escape = found[2]
            elif name == "escape":
                self._problem(number, f"the escape directive must be \\ or `, not {found[2]}")
            seen.add(name)

    def read_instructions(self) -> list[Instruction]:
        """Read every instruction in order."""
        found = []
        while self._at < len(self._lines):
            line = self._next().lstrip(SPACE)
            if line and not line.startswith("#"):
                found.append(self._instruction(self._at, self._join(line)))
        return found

    def _next(self) -> str:
        line = self._lines[self._at]
        self._at += 1
        if _is_too_long(line):
            self._problem(self._at, f"the line is longer than {MAX_LINE} bytes")
        return line.rstrip("\r")

    def _join(self, line: str) -> str:
        """Join `line` with its continuation lines, skipping blank lines and comments in between."""
        line, more = self._continued(line)
        if not more:
            return line
        pieces = [line]
        while more and self._at < len(self._lines):
            line = self._next()
            if line.lstrip(SPACE)[:1] in {"", "#"}:
                continue
            line, more = self._continued(line)
            pieces.append(line)
        return "".join(pieces)

    def _continued(self, line: str) -> tuple[str, bool]:
        """Remove a continuation escape, and report whether there was one; a doubled one is none."""
        bare = line.rstrip(" \t")
        if bare.endswith(self.escape) and not bare.endswith(self.escape * 2):
            return bare[:-1], True
        return line, False

    def _instruction(self, start: int, line: str) -> Instruction:
        keyword, flags, text, bare = split_instruction(line)
        if keyword not in KEYWORDS:
            self._problem(start, f"unknown instruction: {keyword[:40]}")
        exec_form = self._exec_form(start, keyword, text)
        heredocs: tuple[Heredoc, ...] = ()
        if "<<" in line and exec_form is None and self._takes_heredocs(keyword, text):
            heredocs = self._heredocs(start, line)
        end = self._at
        return Instruction(keyword, start, end, text, flags, exec_form, heredocs, text, (), bare)

    def _exec_form(self, start: int, keyword: str, text: str) -> tuple[str, ...] | None:
        try:
            return parse_exec_form(keyword, text)
        except ValueError as error:
            self._problem(start, f"{keyword}: {error}")
            return None

    def _takes_heredocs(self, keyword: str, text: str) -> bool:
        if keyword == "ONBUILD":
            keyword, _, text, _ = split_instruction(text)
            return keyword in _WITH_HEREDOCS and self._exec_form(self._at, keyword, text) is None
        return keyword in _WITH_HEREDOCS

    def _heredocs(self, start: int, line: str) -> tuple[Heredoc, ...]:
        """Read the bodies of the heredocs that `line` opens, in order."""
        found = []
        for strip, name, expand in _opened(line):
            body, closed = self._body(name, strip=strip)
            if not closed:
                self._problem(start, f"the heredoc {name} is not closed")
            found.append(Heredoc(name, body, expand, strip))
        return tuple(found)

    def _body(self, name: str, *, strip: bool) -> tuple[str, bool]:
        """Read the lines before the delimiter `name`, and report whether it was found."""
        lines: list[str] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            if _is_too_long(line):
                break
            if strip:
                line = line.lstrip("\t")
            if line.rstrip("\r") == name:
                return "".join(lines), True
            lines.append(line + "\n")
        return "".join(lines), False

    def _problem(self, line: int, text: str) -> None:
        self.problems.append(Problem(line, text))


def _is_too_long(line: str) -> bool:
    # One character has at most four bytes.
    return len(line) > MAX_LINE // 4 and len(line.encode(errors="replace")) > MAX_LINE


def _opened(line: str) -> list[tuple[bool, str, bool]]:
    """Return (strip, name, expand) for each heredoc that `line` opens."""
    try:
        words = Lexer(line, {}, raw=True).words()
        return [found for word in words if "<<" in word and (found := parse_heredoc(word))]
    except ShellWordError:
        # Like BuildKit, find no heredoc in a line with unmatched quotes.
        return []


def parse_heredoc(word: str) -> tuple[bool, str, bool] | None:
    """Parse a word such as `<<-"EOF"` into (strip, name, expand); None if it is not a heredoc."""
    found = _HEREDOC.fullmatch(word)
    if not found:
        return None
    if found[2].isidentifier():
        return bool(found[1]), found[2], True
    names = Lexer(found[2], {}, keep_unset=True).words()
    if len(names) != 1:
        return None
    return bool(found[1]), names[0], names[0] == found[2]
