"""The keys of verdicts: each stands for everything that a verdict depends on."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis import starter
from workshop.core.errors import UserError
from workshop.core.paths import ROOT
from workshop.stack import versions
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from workshop.cohort.submission import Submission
    from workshop.engine import Engine

# The sources that decide about a verdict, below `workshop/`.
_RUBRIC = ("analysis", "checks", "grading", "tasks", "model.py")


class Keys(NamedTuple):
    """Makes the keys of verdicts by one engine."""

    kit: str
    engine: str

    def key(self, submission: Submission) -> str:
        """Return the key: equal for identical submissions, and new after a relevant change."""
        rubric = rubric_digest(submission.task)
        parts = (submission.digest, submission.task, rubric, self.kit, self.engine)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def read_keys(engine: Engine) -> Keys:
    """Return the keys of an engine: its version, and the base images that are stand-ins.

    Raises `UserError` if no engine answers.
    """
    info = engine.info()
    if info is None:
        found = "no Docker engine answers"
        raise UserError("workshop grade", found, "Start one with make up; see also workshop doctor")
    bases = [base.image for base in versions.read(ROOT / "versions.toml").base]
    standins = [image for image in bases if engine.standin_for(image)]
    return Keys(importlib.metadata.version("workshop"), json.dumps([info.version, standins]))


@lru_cache
def rubric_digest(task: str) -> str:
    """Return a digest of the grading code, and of the files that the kit adds to a submission."""
    found = course.task(task)
    folder = ROOT / found.folder
    return _digest([_code_digest(), *_digests(folder / path for path in starter.files(found))])


@lru_cache
def _code_digest() -> str:
    parts = [ROOT / "workshop" / part for part in _RUBRIC]
    files = [file for part in parts for file in (part.rglob("*") if part.is_dir() else [part])]
    code = sorted(file for file in files if file.is_file() and "__pycache__" not in file.parts)
    return _digest(_digests(code))


def _digests(files: Iterable[Path]) -> Iterable[str]:
    for file in files:
        yield file.relative_to(ROOT).as_posix()
        yield hashlib.sha256(file.read_bytes()).hexdigest()


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256(json.dumps([*parts]).encode()).hexdigest()
