"""Finds the submissions of a class: one folder for each learner."""

from __future__ import annotations

import hashlib
import json
import stat
from typing import TYPE_CHECKING, NamedTuple

from workshop.cohort.submission import Learner, Refused, Submission
from workshop.core.errors import UserError
from workshop.core.paths import walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class Intake(NamedTuple):
    """The submissions of a class, what is refused, and the names of what is no learner's."""

    submissions: tuple[Submission, ...]
    refused: tuple[Refused, ...]
    ignored: tuple[str, ...] = ()


def find(
    folder: Path,
    tasks: Sequence[str],
    *,
    roster: Path | None,
    workdir: Path,  # noqa: ARG001 - for archives
) -> Intake:
    """Find what each learner handed in for `tasks`; raise `UserError` if there is no folder."""
    if roster:
        raise UserError(str(roster), "rosters are not supported", "Leave out --roster")
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        found = error.strerror or "it cannot be read"
        raise UserError(str(folder), found, "Name the folder that holds the submissions") from None
    submissions: list[Submission] = []
    refused, ignored = [], []
    for entry in entries:
        if entry.is_symlink():
            fix = "Put each learner's files into a folder named after the learner"
            refused.append(Refused(entry.name, "a link", fix))
            continue
        if not entry.is_dir():
            ignored.append(entry.name)
            continue
        digest = _digest(entry)
        learner = Learner(entry.name)
        submissions += [Submission(learner, task, entry, digest, entry.name) for task in tasks]
    return Intake(tuple(submissions), tuple(refused), tuple(ignored))


def describe(intake: Intake) -> Iterator[str]:
    """Yield a line for each submission, and for everything that is none."""
    for submission in intake.submissions:
        yield f"{submission.learner.id}  {submission.task}  {submission.origin}"
    for refused in intake.refused:
        yield f"{refused.origin}: {refused.found}. {refused.fix}"
    if intake.ignored:
        yield f"Ignored: {', '.join(intake.ignored)}"


def _digest(folder: Path) -> str:
    """Return a digest of the names and contents of all files; links are not followed."""
    parts = []
    for path in walk(folder):
        file = folder / path
        status = file.lstat()
        content = ""
        if stat.S_ISLNK(status.st_mode):
            content = str(file.readlink())
        elif stat.S_ISREG(status.st_mode):
            with file.open("rb") as opened:
                content = hashlib.file_digest(opened, "sha256").hexdigest()
        parts.append((path, stat.S_IFMT(status.st_mode), status.st_mode & stat.S_IXUSR, content))
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
