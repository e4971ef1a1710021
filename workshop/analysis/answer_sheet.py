"""Reads a form that a learner has filled in: TOML, with some freedom in how answers are written."""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workshop.core.sanitise import plain
from workshop.model import Failed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)| \(at end of document\)")
_YES = {"true", "yes", "y", "1", "there", "it is", "still there"}
_NO = {"false", "no", "n", "0", "gone", "not there", "it is not"}


@dataclass(frozen=True)
class AnswerSheet:
    """The answers in `file`, by key; `text` is the content of the file."""

    file: str
    text: str
    answers: Mapping[str, Any]

    def get_string(self, key: str) -> str:
        """Return a string, without surrounding white space."""
        answer = self._get(key)
        if not isinstance(answer, str):
            raise self.failed(key, f"{key} is {_shown(answer)}", "a text in quotes")
        return plain(answer.strip())

    def get_strings(self, key: str) -> list[str]:
        """Return a list of strings, or the lines of one string."""
        answer = self._get(key)
        if isinstance(answer, str):
            answer = answer.splitlines()
        if not isinstance(answer, list) or not all(isinstance(item, str) for item in answer):
            raise self.failed(key, f"{key} is {_shown(answer)}", "a list of texts in quotes")
        return [plain(item.strip()) for item in answer if item.strip()]

    def get_bool(self, key: str) -> bool:
        """Return a boolean, written in TOML or in English."""
        answer = self._get(key)
        text = str(answer).strip().lower().rstrip(".!")
        if text not in _YES | _NO:
            raise self.failed(key, f"{key} is {_shown(answer)}", "true or false")
        return text in _YES

    def failed(self, key: str, actual: str, expected: str) -> Failed:
        """Return the failure of a wrong answer, with its line."""
        return Failed(actual, expected, line=self.line(key), file=self.file)

    def line(self, key: str) -> int:
        """Return the line of a key, counted from 1; the last line if the key is missing."""
        lines = self.text.splitlines()
        assignment = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
        numbers = (number for number, line in enumerate(lines, 1) if assignment.match(line))
        return next(numbers, len(lines))

    def _get(self, key: str) -> Any:  # noqa: ANN401 - any TOML value
        if key not in self.answers:
            raise self.failed(key, f"{key} is missing", f"{key} = and your answer")
        answer = self.answers[key]
        empty = not answer.strip(" \t\r\n?") if isinstance(answer, str) else answer == []
        if empty:
            raise self.failed(key, f"{key} is not filled in", f"{key} = and your answer")
        return answer


def read(file: str, text: str, keys: Sequence[str]) -> AnswerSheet:
    """Parse a form; raise `Failed` if it is not TOML, or has a key that is not in `keys`."""
    try:
        form = AnswerSheet(file, text, tomllib.loads(text.removeprefix("\ufeff")))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = str(error)
        place = _AT_LINE.search(message)
        line = int(place[1]) if place and place[1] else len(text.splitlines())
        actual = plain(_AT_LINE.sub("", message))
        expected = "TOML: key = value, with texts in quotes"
        raise Failed(actual, expected, line=line, file=file) from None
    for key in form.answers:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1) or keys
            raise form.failed(key, f"{plain(key)} is not a key of this form", near[0])
    return form


def _shown(value: object) -> str:
    """Format an answer for a message."""
    return plain(str(value).lower() if isinstance(value, bool) else repr(value))[:60]
