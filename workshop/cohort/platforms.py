"""Reads who handed in what from the names that learning platforms give to downloads.

The naming is that of the platforms' own source code or documentation:

- Moodle: `FULL NAME_PARTICIPANT_assignsubmission_PLUGIN/FILE`, or the same with `_` in place of `/`
  without "Download submissions in folders"; older versions add `_` to the folder.
  https://github.com/moodle/moodle/blob/main/mod/assign/classes/downloader.php
- Canvas: `NAME_USER_ATTACHMENT_FILE`, with `LATE` before the user; `NAME_USER_text.html` is text.
  https://github.com/instructure/canvas-lms/blob/master/lib/content_zipper.rb
- Gradescope: folders `submission_NUMBER` beside a `submission_metadata.yml` with their submitters.
  https://github.com/rhattark/SER594/blob/main/hw2/hw2q3_Hattarki.py reads one.
- GitHub Classroom: `ASSIGNMENT-submissions/ASSIGNMENT-USERNAME`, each a Git repository.
  https://github.com/github/gh-classroom/blob/main/cmd/gh-classroom/clone/student-repos/student-repos.go
- Classroom 50: `CLASSROOM-ASSIGNMENT-USERNAME`, each a Git repository.
  https://github.com/foundation50/classroom50/wiki/gh-teacher
"""

from __future__ import annotations

import datetime as dt
import os
import re
import stat
from typing import TYPE_CHECKING, Any, NamedTuple

from workshop.cohort.submission import Learner
from workshop.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

METADATA = "submission_metadata.yml"
LATE = "late"
_SUBMISSIONS = "-submissions"

# It also contains the output of each autograder.
_MAX_METADATA = 200_000_000
_METADATA_FIX = "Export the submissions from Gradescope again"

_MOODLE = re.compile(
    r"(?P<name>.+?)(?:_(?P<id>\d+))?_assignsubmission_(?P<plugin>[a-z0-9]+)(?:_(?P<file>.*))?"
)
_CANVAS = re.compile(
    r"(?P<name>\w+?)_(?:(?P<late>LATE|late)_)?(?P<id>\d+)_(?:\d+_(?P<file>.+)|(?:text|link)\.html)"
)
_CANVAS_ANONYMOUS = re.compile(
    r"(?:(?P<late>LATE|late)_)?anon_(?P<id>[^\W_]+)_(?:\d+_(?P<file>.+)|(?:text|link)\.html)"
)
# What Moodle and Canvas call learners whose names they hide.
_ANONYMOUS = {"participant", "anon"}


class Named(NamedTuple):
    """What the name of a downloaded file or folder says.

    `file` is the name that the learner gave to a file; `is_text` is true for text that was typed
    into the platform.
    """

    platform: str
    learner: Learner
    file: str = ""
    handed_in: str = ""
    is_text: bool = False


class Handed(NamedTuple):
    """Who handed in a folder of a Gradescope export, and when (ISO 8601, or empty)."""

    learners: tuple[Learner, ...]
    handed_in: str


def parse_name(name: str) -> Named | None:
    """Read the name of a download of Moodle or Canvas; None if it is none."""
    if match := _MOODLE.fullmatch(name):
        return _parse_moodle(match)
    if match := _CANVAS_ANONYMOUS.fullmatch(name) or _CANVAS.fullmatch(name):
        parts = match.groupdict()
        learner = Learner(parts["id"], _full_name(parts.get("name") or ""))
        late = LATE if parts["late"] else ""
        return Named("Canvas", learner, parts["file"] or "", late, is_text=not parts["file"])
    return None


def _parse_moodle(match: re.Match[str]) -> Named:
    # A team without members has no number.
    name = match["name"]
    learner = Learner(match["id"] or name, _full_name(name))
    return Named("Moodle", learner, match["file"] or "", is_text=match["plugin"] != "file")


def _full_name(name: str) -> str:
    return "" if name.lower() in _ANONYMOUS else name


# ---- Gradescope


def read_gradescope(folder: Path) -> Mapping[str, Handed]:
    """Return who handed in each folder of a Gradescope export; empty if it is none.

    Raises `UserError` if its metadata cannot be read.
    """
    path = folder / METADATA
    if not os.path.lexists(path):
        return {}
    document = _load_metadata(path)
    return {str(name): _read_handed(str(name), row) for name, row in document.items()}


def _load_metadata(path: Path) -> dict[Any, Any]:
    import yaml  # noqa: PLC0415 - only Gradescope needs it

    info = path.lstat()
    if not stat.S_ISREG(info.st_mode):
        raise UserError(str(path), "not a regular file", _METADATA_FIX)
    if info.st_size > _MAX_METADATA:
        found = f"it has more than {_MAX_METADATA // 1_000_000} MB"
        raise UserError(str(path), found, "Delete the :results: of each submission in it")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 - a safe loader
    except OSError as error:
        raise UserError(str(path), error.strerror or "it cannot be read", _METADATA_FIX) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise UserError(str(path), "it is not valid YAML", _METADATA_FIX) from None
    if not isinstance(document, dict):
        raise UserError(str(path), "it does not list submissions", _METADATA_FIX)
    return document


def _read_handed(name: str, row: object) -> Handed:
    facts = row if isinstance(row, dict) else {}
    submitters = facts.get(":submitters")
    listed = submitters if isinstance(submitters, list) else []
    rows = [row for row in listed if isinstance(row, dict)]
    learners = tuple(_read_submitter(name, row) for row in rows)
    return Handed(learners or (Learner(name),), read_time(facts.get(":created_at")))


def _read_submitter(name: str, row: Mapping[str, Any]) -> Learner:
    """Return a submitter; the e-mail address is the id of those without a student id."""
    number, full_name, email = (
        " ".join(str(row.get(key) or "").split()) for key in (":sid", ":name", ":email")
    )
    return Learner(number or email or name, full_name, email)


def read_time(value: object) -> str:
    """Return a time in ISO 8601; empty if the value is none."""
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value.strip())
        except ValueError:
            return ""
    return value.isoformat() if isinstance(value, dt.datetime) else ""


# ---- Git repositories


def read_usernames(
    names: Sequence[str], parent: str, known: Iterable[str] = ()
) -> Mapping[str, str]:
    """Return the username at the end of each repository's name.

    `known` usernames of a roster decide first, then the name of the folder around the repositories
    (`ASSIGNMENT-submissions`), then what the names begin with alike.
    """
    by_name = {username.casefold(): username for username in known if username}
    prefix = _common_prefix(names, parent)
    return {name: _known_username(name, by_name) or name[len(prefix) :] for name in names}


def _known_username(name: str, known: Mapping[str, str]) -> str:
    """Return the longest known username that a name ends with, after a hyphen."""
    parts = name.casefold().split("-")
    ends = ("-".join(parts[number:]) for number in range(len(parts)))
    return next((known[end] for end in ends if end in known), "")


def _common_prefix(names: Sequence[str], parent: str) -> str:
    """Return what all names begin with, up to a hyphen; empty if that leaves a name empty."""
    prefix = f"{parent.removesuffix(_SUBMISSIONS)}-"
    if not (parent.endswith(_SUBMISSIONS) and all(name.startswith(prefix) for name in names)):
        prefix = os.path.commonprefix(list(names)) if len(names) > 1 else ""  # noqa: RUF071 - names
        prefix = prefix[: prefix.rfind("-") + 1]
    return prefix if all(len(name) > len(prefix) for name in names) else ""
