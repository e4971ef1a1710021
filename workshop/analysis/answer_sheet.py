"""A form that a learner has filled in: TOML, with answers written the way people write them."""

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
    """The answers in `file`, by their keys; `text` is the file's own."""

    file: str
    text: str
    answers: Mapping[str, Any]

    def word(self, key: str) -> str:
        """One text, without blanks around it."""
        found = self._answer(key)
        if not isinstance(found, str):
            raise self.failed(key, f"{key} is {_shown(found)}", "a text in quotes")
        return plain(found.strip())

    def words(self, key: str) -> list[str]:
        """Several texts: a list, or one text with a line for each."""
        found = self._answer(key)
        if isinstance(found, str):
            found = found.splitlines()
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise self.failed(key, f"{key} is {_shown(found)}", "a list of texts in quotes")
        return [plain(each.strip()) for each in found if each.strip()]

    def truth(self, key: str) -> bool:
        """Yes or no, as TOML says it or in words."""
        found = self._answer(key)
        said = str(found).strip().lower().rstrip(".!")
        if said not in _YES | _NO:
            raise self.failed(key, f"{key} is {_shown(found)}", "true or false")
        return said in _YES

    def failed(self, key: str, actual: str, expected: str) -> Failed:
        """A wrong answer, with its line."""
        return Failed(actual, expected, line=self.line(key), file=self.file)

    def line(self, key: str) -> int:
        """Where a key stands, counted from 1; the last line where it does not."""
        lines = self.text.splitlines()
        written = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
        numbers = (number for number, line in enumerate(lines, 1) if written.match(line))
        return next(numbers, len(lines))

    def _answer(self, key: str) -> Any:  # noqa: ANN401 - whatever TOML can hold
        if key not in self.answers:
            raise self.failed(key, f"there is no {key}", f"{key} = and your answer")
        found = self.answers[key]
        empty = not found.strip(" \t\r\n?") if isinstance(found, str) else found == []
        if empty:
            raise self.failed(key, f"{key} is not filled in", f"{key} = and your answer")
        return found


def read(file: str, text: str, keys: Sequence[str]) -> AnswerSheet:
    """The form in `text`; `Failed` where it is no TOML, or has keys that are none of `keys`."""
    try:
        form = AnswerSheet(file, text, tomllib.loads(text.removeprefix("\ufeff")))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        said = str(error)
        place = _AT_LINE.search(said)
        line = int(place[1]) if place and place[1] else len(text.splitlines())
        actual = plain(_AT_LINE.sub("", said))
        expected = "TOML: key = value, with texts in quotes"
        raise Failed(actual, expected, line=line, file=file) from None
    for key in form.answers:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1) or keys
            raise form.failed(key, f"{plain(key)} is no key of this form", f"{near[0]}")
    return form


def _shown(value: object) -> str:
    """An answer in a few words."""
    said = {True: "true", False: "false"}.get(value) if isinstance(value, bool) else repr(value)
    return plain(str(said))[:60]
