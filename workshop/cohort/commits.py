"""Reads when the commit that a repository has checked out was made.

The platforms that hand out repositories use this time as that of the submission: Classroom 50 calls
it `datetime`, the committer date of the graded commit. A learner can choose it.
https://github.com/foundation50/classroom50/wiki/Advanced-Autograding
"""

from __future__ import annotations

import datetime as dt
import os
import re
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core.files import open_file
from workshop.core.process import SubprocessRunner

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workshop.core.process import Runner

_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_BRANCH = re.compile(r"ref: (refs/heads/[^\s~^:?*\[\\]+)")
_COMMITTER = re.compile(r"^committer .*> (\d{1,11}) ([+-])(\d\d)(\d\d)$", re.MULTILINE)
_MAX_BYTES = 1_000_000
_SECONDS = 10.0


def read_times(repositories: Iterable[Path], run: Runner | None = None) -> Mapping[Path, str]:
    """Return the time of each repository's commit (ISO 8601), without those that have none.

    Git reads only the objects of a repository. Its settings, which may come from a learner, could
    start programs: an empty repository with the same objects takes its place.
    """
    found = {path: _find_commit(path / ".git") for path in repositories}
    commits = {path: commit for path, commit in found.items() if commit}
    if not commits:
        return {}
    with tempfile.TemporaryDirectory(prefix="workshop-grade-") as folder:
        for name in ("objects", "refs"):
            Path(folder, name).mkdir()
        Path(folder, "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
        times = {
            path: _read_time(run or SubprocessRunner(), folder, path, commit)
            for path, commit in commits.items()
        }
    return {path: time for path, time in times.items() if time}


def _read_time(run: Runner, folder: str, repository: Path, commit: str) -> str:
    environment = {
        "GIT_DIR": folder,
        "GIT_OBJECT_DIRECTORY": str((repository / ".git/objects").absolute()),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
    }
    done = run(("git", "cat-file", "commit", commit), env=environment, timeout=_SECONDS)
    # The message comes after an empty line, and may look like the fields above it.
    fields = done.stdout.partition("\n\n")[0]
    return parse_time(fields) if done.code == 0 else ""


def parse_time(fields: str) -> str:
    """Return the committer's time in the fields of a commit; empty if there is none."""
    match = _COMMITTER.search(fields)
    if not match:
        return ""
    seconds, sign, hours, minutes = match.groups()
    offset = dt.timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    try:
        return dt.datetime.fromtimestamp(int(seconds), dt.timezone(offset)).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def _find_commit(git: Path) -> str:
    """Return the hash of the commit that is checked out; empty if the files do not tell it."""
    head = _read(git / "HEAD").strip()
    if branch := _BRANCH.fullmatch(head):
        name = branch[1]
        if ".." in name.split("/"):
            return ""
        packed = re.search(rf"^(\S+) {re.escape(name)}$", _read(git / "packed-refs"), re.MULTILINE)
        head = _read(git / name).strip() or (packed[1] if packed else "")
    return head if _HASH.fullmatch(head) else ""


def _read(path: Path) -> str:
    """Return the text of a small regular file; empty if it is none."""
    try:
        with open_file(path) as file:
            is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            return file.read(_MAX_BYTES).decode("utf-8", "replace") if is_file else ""
    except OSError:
        return ""
