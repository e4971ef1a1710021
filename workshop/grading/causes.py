"""Finds the cause of a failure in the output of the program that failed.

The table `causes.toml` has one row for each cause.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

TABLE = Path(__file__).with_suffix(".toml")
STAGES = ("dockerfile", "build", "start", "request", "stop", "compose")
# The end of an output is read, and the start of each line, at most this many characters: the output
# is a learner's, and the patterns must not take minutes.
MAX_OUTPUT = 20_000
MAX_LINE = 2_000
# A group of a pattern is shortened to this many characters in a message.
MAX_VALUE = 120


class Cause(NamedTuple):
    """A row of the table.

    `pattern` matches a program's output, line by line. `message` (what is wrong) and `fix` (what to
    change) may use its groups; a group that did not match is empty. `source` is the address of a
    page that describes the failure. `text`, if any, must match a line of the learner's file too,
    and the last such line is to blame. A `general` cause counts only if no other one matches.
    """

    id: str
    title: str
    stage: str
    pattern: str
    message: str
    fix: str
    source: str
    text: str = ""
    general: bool = False


class Line(NamedTuple):
    """An instruction of a Dockerfile or a line of a compose file; `number` counts from 1."""

    number: int
    text: str


class Diagnosis(NamedTuple):
    """The cause of a failure in one submission; `line` is None if the file's text shows none."""

    cause: Cause
    message: str
    fix: str
    line: int | None


@functools.cache
def table() -> tuple[Cause, ...]:
    """Return every cause, in the order of the table."""
    import tomllib  # noqa: PLC0415 - only needed after a failure

    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))["cause"]
    return tuple(Cause(**row) for row in rows)


def diagnose(
    output: str, lines: Sequence[Line] = (), stages: Collection[str] = STAGES
) -> Diagnosis | None:
    """Return the cause of a failure, or None if the table has none.

    Of several causes, one that the learner's file confirms comes first. Then the one that the
    output shows last, because later errors end a program; in one line, the longest match.
    """
    best: tuple[tuple[bool, bool, int, int], Diagnosis] | None = None
    output = "\n".join(line[:MAX_LINE] for line in output.splitlines())[-MAX_OUTPUT:]
    for cause in table():
        if cause.stage not in stages or not (found := _last_match(cause.pattern, output)):
            continue
        line = _find_line(cause.text, lines) if cause.text else None
        if cause.text and line is None:
            continue
        message, fix = _fill_in(cause, found)
        end = output.count("\n", 0, found.end())
        rank = (not cause.general, bool(cause.text), end, found.end() - found.start())
        if best is None or rank > best[0]:
            best = rank, Diagnosis(cause, message, fix, line)
    return best[1] if best else None


def describe(cause: Cause, output: str) -> tuple[str, str] | None:
    """Return the message and the fix for an output; None if the cause is not in it."""
    found = _last_match(cause.pattern, output)
    return _fill_in(cause, found) if found else None


def _fill_in(cause: Cause, found: re.Match[str]) -> tuple[str, str]:
    """Return the message and the fix, with the groups of a match."""
    values = defaultdict(str, {name: _shorten(v) for name, v in found.groupdict("").items()})
    return cause.message.format_map(values).strip(), cause.fix.format_map(values).strip()


def _last_match(pattern: str, output: str) -> re.Match[str] | None:
    return max(
        re.finditer(pattern, output, re.MULTILINE),
        key=lambda found: found.start(),
        default=None,
    )


def _find_line(pattern: str, lines: Iterable[Line]) -> int | None:
    """Return the number of the last line that the pattern matches."""
    matching = (line.number for line in lines if re.search(pattern, line.text))
    return max(matching, default=None)


def _shorten(value: str) -> str:
    value = value.strip()
    return value if len(value) <= MAX_VALUE else value[:MAX_VALUE] + "..."
