"""The types of a class: learners hand in submissions, which are graded by task."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Learner(NamedTuple):
    """A learner: `id` is unique in a class; `name` and `email` may be empty."""

    id: str
    name: str = ""
    email: str = ""


class Submission(NamedTuple):
    """What a learner handed in for one task.

    `folder` holds the files, which are never changed. `digest` identifies their names and contents
    (SHA-256, in hexadecimal). `handed_in` is the platform's time (ISO 8601, or as a list of the
    class has it), `late` if the platform says only that, or empty.
    `origin` is the folder or archive that it was read from, as given by the instructor.
    """

    learner: Learner
    task: str
    folder: Path
    digest: str
    origin: str
    handed_in: str = ""


class Refused(NamedTuple):
    """Something that is no submission: what it is, what was found, and how to fix it."""

    origin: str
    found: str
    fix: str
