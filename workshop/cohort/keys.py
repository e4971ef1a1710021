"""The keys of verdicts: each stands for everything that a verdict depends on."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from typing import TYPE_CHECKING, NamedTuple

from workshop.cohort import rubric
from workshop.core.errors import UserError
from workshop.core.paths import ROOT
from workshop.stack import versions

if TYPE_CHECKING:
    from workshop.cohort.submission import Submission
    from workshop.engine import Engine


class Keys(NamedTuple):
    """Makes the keys of verdicts by one engine."""

    kit: str
    engine: str

    def key(self, submission: Submission) -> str:
        """Return the key: equal for identical submissions, and new after a relevant change."""
        return self._digest(submission, rubric.full_digest(submission.task))

    def facts(self, submission: Submission) -> str:
        """Return the key of the outcomes: equal for verdicts that differ in points or texts."""
        return self._digest(submission, rubric.facts_digest(submission.task))

    def _digest(self, submission: Submission, code: str) -> str:
        parts = (submission.digest, submission.task, code, self.kit, self.engine)
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
