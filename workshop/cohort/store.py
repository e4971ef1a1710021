"""The verdicts of a class, in a SQLite database that survives a crash at any moment.

Each verdict is written in its own transaction. A verdict belongs to a key, which stands for
everything that it depends on; identical submissions have the same key, and so the same verdict.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, overload

from workshop.cohort import answer, overrides
from workshop.cohort.lock import lock
from workshop.cohort.overrides import Override
from workshop.cohort.row import Row
from workshop.cohort.submission import Learner
from workshop.core.errors import UserError
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from workshop.cohort.answer import AnswerFile
    from workshop.cohort.submission import Submission

NAME = "marks.sqlite"
# In `PRAGMA user_version`; raise it with each change of `_SCHEMA`.
VERSION = 2
# In `PRAGMA application_id`, so that a database of another program is recognised.
_APPLICATION = 0x776B7370
# Less free space than this, in bytes, is a full disk: a page of the database has 4,096.
_LEAST_FREE = 65_536
# Below this share of learners in common, a folder with another path holds another class.
_IN_COMMON = 0.5

# `wanted` is the key of what is handed in now, and `shown` that of its last verdict. They differ
# between a change of a submission and its next verdict.
_SCHEMA = """
CREATE TABLE class (folder TEXT NOT NULL);
CREATE TABLE verdict (
    key TEXT PRIMARY KEY,
    facts TEXT NOT NULL,
    digest TEXT NOT NULL,
    outcome TEXT NOT NULL,
    document TEXT NOT NULL,
    stale INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX verdict_facts ON verdict (facts);
CREATE TABLE submission (
    learner TEXT NOT NULL,
    task TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    digest TEXT NOT NULL,
    origin TEXT NOT NULL,
    handed_in TEXT NOT NULL,
    present INTEGER NOT NULL DEFAULT 1,
    wanted TEXT NOT NULL,
    shown TEXT,
    PRIMARY KEY (learner, task)
) WITHOUT ROWID;
CREATE INDEX submission_wanted ON submission (wanted);
"""
# Added to the databases of format 1. `files` are packed, and those of the graded submission with
# this digest: the learner's folder may have changed since.
_ANSWER_SCHEMA = """
CREATE TABLE answer (
    digest TEXT NOT NULL,
    task TEXT NOT NULL,
    files BLOB NOT NULL,
    PRIMARY KEY (digest, task)
) WITHOUT ROWID;
"""
_ENROL = """
INSERT INTO submission (learner, task, name, email, digest, origin, handed_in, wanted)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (learner, task) DO UPDATE SET
    name = excluded.name, email = excluded.email, digest = excluded.digest,
    origin = excluded.origin, handed_in = excluded.handed_in, wanted = excluded.wanted, present = 1
"""
_SHOW_KNOWN = """
UPDATE submission SET shown = wanted
WHERE shown IS NOT wanted AND wanted IN (SELECT key FROM verdict)
"""
_PUT = """
INSERT OR REPLACE INTO verdict (key, facts, digest, outcome, document) VALUES (?, ?, ?, ?, ?)
"""
_PUT_ANSWER = "INSERT OR REPLACE INTO answer (digest, task, files) VALUES (?, ?, ?)"
_FIND = "SELECT document FROM verdict WHERE facts = ? AND outcome != 'ungradable' AND NOT stale"
_ROW = """
SELECT s.name, s.email, s.handed_in, s.origin, s.digest, s.present, s.wanted = s.shown, v.document,
    a.files
FROM submission s JOIN verdict v ON v.key = s.shown
    LEFT JOIN answer a ON a.digest = v.digest AND a.task = s.task
WHERE s.learner = ? AND s.task = ?
"""
_GRADED = "SELECT learner, task FROM submission WHERE shown IS NOT NULL"
_IDENTICAL = """
SELECT task, digest, learner FROM submission WHERE (task, digest) IN (
    SELECT task, digest FROM submission GROUP BY task, digest HAVING count(*) > 1
) ORDER BY learner
"""


class Store:
    """The database `marks.sqlite` in `folder`, for one process and one thread at a time.

    A context manager: it creates the folder, and holds its lock. Every method raises `UserError`
    for a full disk or a damaged database; what was stored before stays stored.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(_create_and_lock(self._folder))
            with self._errors():
                file = self._folder / NAME
                # Every statement outside `_transaction` is a separate transaction.
                self._connection = sqlite3.connect(file, isolation_level=None)
                stack.callback(self._connection.close)
                self._open()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def check_class(self, folder: Path, learners: Iterable[str]) -> None:
        """Raise `UserError` if the stored class is another one than the `learners` in `folder`."""
        with self._errors():
            known = {row[0] for row in self._connection.execute("SELECT learner FROM submission")}
            stored = self._connection.execute("SELECT folder FROM class").fetchone()
        found, path = set(learners), str(folder.resolve())
        common = len(known & found)
        if known and stored != (path,) and common < _IN_COMMON * min(len(known), len(found)):
            one = min(known - found)
            found_text = f"it holds the marks of another class ({len(known)} learners, as {one})"
            raise UserError(str(self._folder), found_text, "Choose another --out")

    def enrol(self, folder: Path, keys: Mapping[Submission, str], tasks: Iterable[str]) -> None:
        """Record all that `folder` has for `tasks`, with the key of each.

        The mark of a submission that was there before, and is not now, stays, with a flag.
        """
        with self._transaction() as connection:
            connection.execute("DELETE FROM class")
            connection.execute("INSERT INTO class VALUES (?)", (str(folder.resolve()),))
            for task in tasks:
                connection.execute("UPDATE submission SET present = 0 WHERE task = ?", (task,))
            connection.executemany(_ENROL, (_enrolment(*item) for item in keys.items()))
            connection.execute(_SHOW_KNOWN)

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the document of the verdict with this key; None if there is none."""
        with self._errors():
            query = "SELECT document FROM verdict WHERE key = ?"
            found = self._connection.execute(query, (key,)).fetchone()
        return json.loads(found[0]) if found else None

    def outcome(self, key: str) -> str:
        """Return the outcome of a verdict; empty if it is missing, or has to be made again."""
        with self._errors():
            query = "SELECT outcome FROM verdict WHERE key = ? AND NOT stale"
            found = self._connection.execute(query, (key,)).fetchone()
        return str(found[0]) if found else ""

    def find(self, facts: str) -> dict[str, Any] | None:
        """Return the document of any verdict with these outcomes; None if there is none."""
        with self._errors():
            found = self._connection.execute(_FIND, (facts,)).fetchone()
        return json.loads(found[0]) if found else None

    def put(
        self,
        key: str,
        submission: Submission,
        document: dict[str, Any],
        facts: str = "",
        files: tuple[AnswerFile, ...] = (),
    ) -> None:
        """Store a verdict for a submission, and for all others that have the same key.

        `facts` is the key of its outcomes, for `find`; empty if they are not to be found. `files`
        are those of the answer; without any, those from before stay.
        """
        text = json.dumps(document)
        with self._transaction() as connection:
            connection.execute(_PUT, (key, facts, submission.digest, document["outcome"], text))
            connection.execute(_ENROL, _enrolment(submission, key))
            if files:
                packed = submission.digest, submission.task, answer.pack(files)
                connection.execute(_PUT_ANSWER, packed)
            connection.execute("UPDATE submission SET shown = wanted WHERE wanted = ?", (key,))

    def discard(self, keys: Iterable[tuple[str, str]]) -> None:
        """Have verdicts made again, by key and facts; each stays until the next replaces it."""
        with self._transaction() as connection:
            query = "UPDATE verdict SET stale = 1 WHERE key = ? OR facts = ?"
            connection.executemany(query, keys)

    def rows(self) -> Rows:
        """Return the marks, by learner and then in the order of the tasks.

        Each row is read from the database when it is needed: a class need not fit into memory.
        """
        manual = overrides.read(self._folder)
        order = {task: number for number, task in enumerate(course.TASKS)}
        with self._errors():
            graded = self._connection.execute(_GRADED).fetchall()
            alike = self._connection.execute(_IDENTICAL).fetchall()
        graded.sort(key=lambda row: (row[0], order.get(row[1], len(order)), row[1]))
        return Rows(self, graded, _find_twins(alike), manual)

    def row(self, learner: str, task: str, twin: str, override: Override) -> Row:
        """Read one mark; `twin` is another learner with an identical submission, or empty."""
        with self._errors():
            found = self._connection.execute(_ROW, (learner, task)).fetchone()
        name, email, handed_in, origin, digest, present, current, text, files = found
        document = json.loads(text)
        flags = {
            f"identical to {twin}": twin,
            "out of date": not current,
            "not in the last submissions": not present,
            "manual mark": override.points is not None,
        }
        return Row(
            Learner(learner, name, email),
            task,
            document["outcome"],
            document["score"],
            document["max_score"],
            tuple(flag for flag, holds in flags.items() if holds),
            handed_in,
            origin,
            digest,
            document,
            override.points,
            override.comment,
            answer.unpack(files) if files else (),
        )

    def _open(self) -> None:
        """Create the tables of a new database; refuse one of a newer kit or another program."""
        version = self._pragma("user_version")
        application = self._pragma("application_id")
        tables = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        thing = str(self._folder / NAME)
        if tables and application != _APPLICATION:
            found = "it is a database of another program"
            raise UserError(thing, found, "Choose another --out")
        if version > VERSION:
            found = f"a newer kit wrote it (format {version}; this kit reads {VERSION})"
            raise UserError(thing, found, "Update the kit, or choose another --out")
        self._connection.execute("PRAGMA journal_mode = WAL")
        # Enough against a crash of the program; a power cut may cost the last verdicts.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        if version < VERSION:
            schema = _ANSWER_SCHEMA if tables else f"{_SCHEMA}{_ANSWER_SCHEMA}"
            begin = (
                f"BEGIN; PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {VERSION};"
            )
            self._connection.executescript(f"{begin}{schema}COMMIT;")

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._errors(), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn an error of SQLite into a `UserError`."""
        try:
            yield
        except sqlite3.Error as error:
            thing, found = str(self._folder / NAME), str(error)
            if "full" in found or _is_full(self._folder):
                found, fix = "the disk is full", "Free some space, then run the same command again"
            elif "not a database" in found or "malformed" in found:
                found, fix = (
                    "it is damaged",
                    "Move it away and grade again, or choose another --out",
                )
            else:
                fix = "Make the folder writable, or choose another --out"
            raise UserError(thing, found, fix) from None


class Rows(Sequence[Row]):
    """The marks of a class, each read from the store when it is needed."""

    def __init__(
        self,
        store: Store,
        graded: Sequence[tuple[str, str]],
        twins: Mapping[tuple[str, str], str],
        manual: overrides.Overrides,
    ) -> None:
        self._store, self._graded, self._twins, self._manual = store, graded, twins, manual

    def __len__(self) -> int:
        return len(self._graded)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: int | slice) -> Row | Rows:
        if isinstance(index, slice):
            return Rows(self._store, self._graded[index], self._twins, self._manual)
        mark = self._graded[index]
        return self._store.row(*mark, self._twins.get(mark, ""), self._manual.get(mark, Override()))


def _is_full(folder: Path) -> bool:
    """Whether no file in `folder` can grow: SQLite calls that an I/O error if it maps the file."""
    with contextlib.suppress(OSError):
        return shutil.disk_usage(folder).free < _LEAST_FREE
    return False


def _enrolment(submission: Submission, key: str) -> tuple[str, ...]:
    """Return the values for `_ENROL`; SQLite refuses names of files that are not UTF-8."""
    learner, task, _, digest, origin, handed_in = submission
    values = (learner.id, task, learner.name, learner.email, digest, origin, handed_in, key)
    return tuple(value.encode("utf-8", "backslashreplace").decode("utf-8") for value in values)


def _find_twins(alike: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str], str]:
    """Return for each learner and task the first other learner with an identical submission."""
    groups: dict[tuple[str, str], list[str]] = {}
    for task, digest, learner in alike:
        groups.setdefault((task, digest), []).append(learner)
    return {
        (learner, task): learners[1] if learner == learners[0] else learners[0]
        for (task, _), learners in groups.items()
        for learner in learners
    }


@contextlib.contextmanager
def _create_and_lock(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found = "it is a file" if folder.is_file() else error.strerror or "it cannot be created"
        raise UserError(str(folder), found, "Name a folder that you may write to") from None
    with lock(folder):
        yield
