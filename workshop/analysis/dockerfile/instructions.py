"""A Dockerfile's text to its instructions, as BuildKit's parser cuts it: nothing is expanded."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from workshop.analysis.dockerfile.shell_words import SPACE, Lexer, ShellWordError


def _no_constant(name: str) -> None:
    """NaN and Infinity are Python's own idea of JSON."""
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
_FLAG_MARKS = re.compile(r"""\\(.)|\\\Z|['"]""", re.DOTALL)
_HEREDOC = re.compile(r"\d*<<(-?)([^<]+)")
_JSON = frozenset({"ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"})
_WITH_HEREDOCS = frozenset({"ADD", "COPY", "RUN"})
_JSON_LIST = json.JSONDecoder(parse_constant=_no_constant)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Heredoc(NamedTuple):
    """A text that stands in the Dockerfile itself, below its instruction.

    `expand`: its word is not quoted, so its variables count. `strip`: it was opened with `<<-`,
    and `body` is without the tabs at the start of its lines.
    """

    name: str
    body: str
    expand: bool
    strip: bool


class Problem(NamedTuple):
    """Something that a build would refuse, or that this kit does not read; `line` is from 1."""

    line: int
    text: str


class Instruction(NamedTuple):
    """One instruction, from its first line to its last, heredoc bodies included.

    `text` is what follows the keyword and the flags, its lines joined, without comments. `flags`
    are (name, value) without dashes, a value empty where none is given. `words` is the JSON (exec)
    form, None in shell form. `values` are the arguments that BuildKit expands, one by one and
    expanded (an ENV's as `name=value`), and `expanded` is `text` with them.
    """

    keyword: str
    line: int
    end: int
    text: str
    flags: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] | None = None
    heredocs: tuple[Heredoc, ...] = ()
    expanded: str = ""
    values: tuple[str, ...] = ()

    def flag(self, name: str) -> str | None:
        """The value of the last flag of that name; None where there is none."""
        return dict(self.flags).get(name)


class ParsedText(NamedTuple):
    """What a text holds: its instructions in order, and how it says to read them."""

    instructions: tuple[Instruction, ...]
    problems: tuple[Problem, ...]
    escape: str
    syntax: str


def read(text: str) -> ParsedText:
    """Every instruction in `text`; never raises."""
    reader = _Reader(text)
    reader.read_directives()
    instructions = tuple(reader.read_instructions())
    return ParsedText(instructions, tuple(reader.problems), reader.escape, reader.syntax)


def split_instruction(line: str) -> tuple[str, tuple[tuple[str, str], ...], str]:
    """The keyword (upper case), the flags and the arguments of one joined line."""
    keyword, *rest = _KEYWORD_END.split(line.strip(SPACE), maxsplit=1)
    text, flags, at = rest[0] if rest else "", [], 0
    while "--" in text and (found := _FLAG.match(text, at)):
        at = found.end()
        if found[1] == "--":
            break
        name, _, value = _FLAG_MARKS.sub(r"\1", found[1][2:]).partition("=")
        flags.append((name, value))
    return keyword.upper(), tuple(flags), text[at:].strip(SPACE)


def parse_exec_form(keyword: str, text: str) -> tuple[str, ...] | None:
    """The words of a JSON (exec) form; None in shell form. `ValueError`: other than strings."""
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
        # BuildKit before 0.16 takes the list, and drops what follows it.
        found, _ = _JSON_LIST.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(word, str) for word in found):
        raise ValueError("a JSON array must hold strings only")
    if "\\u" in text:
        return tuple(_LONE_SURROGATE.sub("\ufffd", word) for word in found)
    return tuple(found)


class _Reader:
    """The lines of one text, taken from first to last."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        if not self._lines[-1]:
            self._lines.pop()
        self._at = 0
        self.problems: list[Problem] = []
        self.escape, self.syntax = "\\", ""

    def read_directives(self) -> None:
        """Heed the directives: comments at the very top, before anything else."""
        seen: set[str] = set()
        for number, line in enumerate(self._lines, 1):
            found = _DIRECTIVE.fullmatch(line.strip(SPACE))
            name = found[1].lower() if found else ""
            if not found or name not in _DIRECTIVES:
                return
            if name in seen:
                self._problem(number, f"the directive {name} stands here twice")
            elif name == "syntax":
                self.syntax = found[2]
            elif name == "escape" and found[2] in {"\\", "`"}:
                self.escape = found[2]
            elif name == "escape":
                self._problem(number, f"the escape directive is {found[2]}, and can be \\ or `")
            seen.add(name)

    def read_instructions(self) -> list[Instruction]:
        """Every instruction, in order."""
        found = []
        while self._at < len(self._lines):
            line = self._next().lstrip(SPACE)
            if line and not line.startswith("#"):
                found.append(self._instruction(self._at, self._join(line)))
        return found

    def _next(self) -> str:
        line = self._lines[self._at]
        self._at += 1
        if len(line) > MAX_LINE:
            self._problem(self._at, f"the line is longer than {MAX_LINE} characters")
        return line.rstrip("\r")

    def _join(self, line: str) -> str:
        """`line` with the lines that continue it; blank ones and comments in between are none."""
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
        """The line, and whether a lone escape ends it: a doubled one is an escaped escape."""
        bare = line.rstrip(" \t")
        if bare.endswith(self.escape) and not bare.endswith(self.escape * 2):
            return bare[:-1], True
        return line, False

    def _instruction(self, start: int, line: str) -> Instruction:
        keyword, flags, text = split_instruction(line)
        if keyword not in KEYWORDS:
            self._problem(start, f"unknown instruction: {keyword[:40]}")
        words = self._words(start, keyword, text)
        heredocs: tuple[Heredoc, ...] = ()
        if "<<" in line and words is None and self._takes_heredocs(keyword, text):
            heredocs = self._heredocs(start, line)
        return Instruction(keyword, start, self._at, text, flags, words, heredocs, text)

    def _words(self, start: int, keyword: str, text: str) -> tuple[str, ...] | None:
        try:
            return parse_exec_form(keyword, text)
        except ValueError as error:
            self._problem(start, f"{keyword}: {error}")
            return None

    def _takes_heredocs(self, keyword: str, text: str) -> bool:
        if keyword == "ONBUILD":
            keyword, _, text = split_instruction(text)
            return keyword in _WITH_HEREDOCS and self._words(self._at, keyword, text) is None
        return keyword in _WITH_HEREDOCS

    def _heredocs(self, start: int, line: str) -> tuple[Heredoc, ...]:
        """The heredocs that `line` opens, with the lines below it as their bodies, in order."""
        found = []
        for strip, name, expand in _opened(line):
            body, closed = self._body(name, strip=strip)
            if not closed:
                self._problem(start, f"the heredoc {name} is not closed")
            found.append(Heredoc(name, body, expand, strip))
        return tuple(found)

    def _body(self, name: str, *, strip: bool) -> tuple[str, bool]:
        """The lines up to the one that is `name`, and whether there is one."""
        lines: list[str] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            if strip:
                line = line.lstrip("\t")
            if line.rstrip("\r") == name:
                return "".join(lines), True
            lines.append(line + "\n")
        return "".join(lines), False

    def _problem(self, line: int, text: str) -> None:
        self.problems.append(Problem(line, text))


def _opened(line: str) -> list[tuple[bool, str, bool]]:
    """The heredocs that `line` opens: whether tabs are stripped, the name, whether it expands."""
    try:
        words = Lexer(line, {}, raw=True).words()
        return [found for word in words if "<<" in word and (found := parse_heredoc(word))]
    except ShellWordError:
        # As BuildKit does: where quotes do not match, there is no heredoc at all.
        return []


def parse_heredoc(word: str) -> tuple[bool, str, bool] | None:
    """What a word such as `<<-"EOF"` opens; None where it opens no heredoc."""
    found = _HEREDOC.fullmatch(word)
    if not found:
        return None
    if found[2].isidentifier():
        return bool(found[1]), found[2], True
    names = Lexer(found[2], {}).words()
    if len(names) != 1:
        return None
    return bool(found[1]), names[0], names[0] == found[2]
