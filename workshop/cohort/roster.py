"""Reads the list of a class: a CSV file whose columns are found by their headers."""

from __future__ import annotations

import csv
import io
import re
import stat
import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from workshop.cohort.submission import Learner, Refused
from workshop.core.errors import UserError
from workshop.core.sanitise import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

# The columns by header, in lower case without spaces and punctuation. The first column of `IDS`
# that a row fills is the learner's id; the others identify a submission as well. They include
# those of Moodle's grading worksheet, and of the lists that Canvas, Gradescope, GitHub Classroom
# and Classroom 50 export.
IDS = (
    *("id", "identifier", "studentid", "studentnumber", "sid", "idnumber", "matriculationnumber"),
    *("matriculation", "matrikelnummer", "number", "userid", "sisuserid", "username", "user"),
    *("githubusername", "github", "login", "loginid", "sisloginid"),
)
NAMES = ("name", "fullname", "student", "studentname", "learner")
FIRST_NAMES = ("firstname", "givenname", "first")
LAST_NAMES = ("lastname", "surname", "familyname", "last")
EMAILS = ("email", "emailaddress", "mail")
PATHS = ("path", "folder", "file", "submission", "directory", "archive")
# The time of a submission: in Moodle's grading worksheet, Classroom 50's scores.csv, and the
# grades that Gradescope exports.
TIMES = ("datetime", "lastmodifiedsubmission", "submissiontime", "submittedat", "handedin")
_KNOWN = {*IDS, *NAMES, *FIRST_NAMES, *LAST_NAMES, *EMAILS, *PATHS, *TIMES}

_MAX_BYTES = 20_000_000
_DELIMITERS = ",;\t|"
_SAVE = "Save it as CSV (UTF-8) with the columns id, name, email and path"
_PARTICIPANT = re.compile(r"\D+ (\d+)")


class Entry(NamedTuple):
    """A row: the learner, its line in the file, and what else identifies the submission.

    `path` is relative to the folder of the submissions, and may be empty; so may `handed_in`, the
    time of the submission as the list has it.
    """

    learner: Learner
    line: int
    path: str
    ids: frozenset[str]
    handed_in: str = ""


class Roster:
    """The learners of a class. `refused` has the rows that name nobody, or repeat another."""

    def __init__(self, origin: str, entries: Sequence[Entry], refused: Sequence[Refused]) -> None:
        self.origin, self.entries, self.refused = origin, tuple(entries), tuple(refused)
        self._index = _index(entries)

    def place(self, entry: Entry) -> str:
        """Return the name of a row for messages."""
        return f"{self.origin}, line {entry.line}"

    def match(self, learner: Learner) -> Entry | None:
        """Return the row of a learner as a platform or a folder names them; None if unclear."""
        for key in _keys_of(learner):
            if len(found := self._index.get(key, ())) == 1:
                return found[0]
        return None

    @property
    def usernames(self) -> list[str]:
        """What a repository's name may end with."""
        return [name for entry in self.entries for name in entry.ids]


def read(path: Path) -> Roster:
    """Read a roster; raise `UserError` if it cannot be read, names nobody or is ambiguous."""
    rows = _rows(_read_text(path), path)
    entries: list[Entry] = []
    refused: list[Refused] = []
    by_id: dict[str, Entry] = {}
    for line, row in rows:
        entry = _read_entry(line, row)
        if not entry:
            if not row.get("student", "").startswith("Points Possible"):
                fix = "Add an id to the row, or delete it"
                refused.append(Refused(f"{path}, line {line}", "no id and no e-mail address", fix))
            continue
        first = by_id.setdefault(entry.learner.id, entry)
        if first is entry:
            entries.append(entry)
        elif (first.learner, first.path) == (entry.learner, entry.path):
            found = f"the same as line {first.line}"
            refused.append(Refused(f"{path}, line {line}", found, "Delete one of both lines"))
        else:
            raise _two_learners(path, first, entry)
    if not entries:
        raise UserError(str(path), "it names nobody", _SAVE)
    return Roster(str(path), entries, refused)


def _two_learners(path: Path, first: Entry, second: Entry) -> UserError:
    names = [entry.learner.name or entry.path or "no name" for entry in (first, second)]
    found = f"{names[0]} in line {first.line} has the id {first.learner.id}, too: {names[1]}"
    return UserError(f"{path}, line {second.line}", found, "Give each learner a separate id")


def _read_text(path: Path) -> str:
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise UserError(str(path), "not a file", "Name the CSV file of the class")
        if info.st_size > _MAX_BYTES:
            raise UserError(str(path), f"it has {info.st_size / 1e6:.0f} MB", _SAVE)
        content = path.read_bytes()
    except OSError as error:
        fix = "Name the CSV file of the class"
        raise UserError(str(path), error.strerror or "it cannot be read", fix) from None
    # "Unicode Text" of spreadsheet programs.
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return content.decode("utf-16", errors="replace")
    if content.startswith(b"PK") or b"\0" in content:
        raise UserError(str(path), "it is not a text file", _SAVE)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _rows(text: str, path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield the line number and the cells of each row, by the normalised header."""
    lines = io.StringIO(text, newline="")
    skipped = 0
    if text[:4].lower() == "sep=":
        lines.readline()
        skipped = 1
    delimiter = _find_delimiter(text.split("\n")[skipped] if skipped < text.count("\n") + 1 else "")
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        header = [_normalise(cell) for cell in next(reader, [])]
        _check_header(header, path)
        for cells in reader:
            values = [plain(cell).strip() for cell in cells]
            if any(values):
                # The first of two columns with one name counts.
                pairs = zip(reversed(header), reversed(_pad(values, len(header))), strict=True)
                yield reader.line_num + skipped, dict(pairs)
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num + skipped}", str(error), _SAVE) from None


def _pad(values: list[str], length: int) -> list[str]:
    return (values + [""] * length)[:length]


def _find_delimiter(header: str) -> str:
    """Return the delimiter that yields the most known columns."""

    def count(delimiter: str) -> tuple[int, int]:
        cells = [_normalise(cell) for cell in header.split(delimiter)]
        return sum(cell in _KNOWN for cell in cells), len(cells)

    return max(_DELIMITERS, key=count)


def _check_header(header: Sequence[str], path: Path) -> None:
    if not header:
        raise UserError(str(path), "it is empty", _SAVE)
    if not {*header} & {*IDS, *EMAILS, *PATHS}:
        columns = ", ".join(cell[:20] for cell in header[:6] if cell) or "none"
        found = f"its first line has no column for the id; it has {columns}"
        raise UserError(str(path), found, _SAVE)


def _normalise(header: str) -> str:
    return re.sub(r"[\W_]", "", header.casefold())


def _read_entry(line: int, row: Mapping[str, str]) -> Entry | None:
    ids = [value for column in IDS if (value := row.get(column, ""))]
    # Moodle's worksheet has "Participant 12345"; its downloads have the number.
    if match := _PARTICIPANT.fullmatch(row.get("identifier", "")):
        ids = [match[1] if value == match[0] else value for value in ids]
    name = _first(row, NAMES) or f"{_first(row, FIRST_NAMES)} {_first(row, LAST_NAMES)}".strip()
    email, path = _first(row, EMAILS), _first(row, PATHS).replace("\\", "/")
    # An id names files, such as the feedback.
    identity = ids[0] if ids else email or path.strip("/").replace("/", "-")
    if not identity:
        return None
    # Moodle writes a hyphen if nothing was handed in.
    time = _first(row, TIMES).strip("-")
    return Entry(Learner(identity, name, email), line, path, frozenset(ids), time)


def _first(row: Mapping[str, str], columns: Sequence[str]) -> str:
    return next((value for column in columns if (value := row.get(column, ""))), "")


# ---- who is who


def _index(entries: Sequence[Entry]) -> Mapping[str, Sequence[Entry]]:
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        local, _, domain = entry.learner.email.partition("@")
        keys = {f"id {value.casefold()}" for value in entry.ids}
        keys |= {f"mail {entry.learner.email.casefold()}", f"local {local.casefold()}"}
        keys |= {f"name {name}" for name in _joined_names(entry.learner.name)}
        for key in keys - ({"mail ", "local "} if not domain else set()):
            found[key].append(entry)
    return found


def _keys_of(learner: Learner) -> Iterator[str]:
    """Yield what a submission is found by, the surest first."""
    identity, email = learner.id.casefold(), learner.email.casefold()
    yield f"id {identity}"
    if email:
        yield f"mail {email}"
    yield f"mail {identity}"
    yield f"local {identity}"
    for name in (learner.name, learner.id):
        # The order of the parts is that of the platform.
        yield from (f"name {joined}" for joined in _joined_names(name)[:1])


def _joined_names(name: str) -> list[str]:
    """Return the parts of a name without spaces, accents and case, in each rotation.

    Canvas writes "Smith, Anna" as smithanna.
    """
    plain_name = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(mark for mark in plain_name if not unicodedata.combining(mark))
    words = re.findall(r"[^\W_]+", letters)[:8]
    return ["".join(words[turn:] + words[:turn]) for turn in range(len(words))]
