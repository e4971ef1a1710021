"""Requirements that many tasks share: each takes a line to use.

A check judges what was built and what runs. Its `text`, where there is one, judges the same by
the Dockerfile's words, for whoever has no engine; it speaks up only where the words leave no doubt.
"""

from workshop.checks.config import builds, environment, exposes, no_environment, workdir
from workshop.checks.content import (
    contains,
    installs,
    keeps_secrets_out,
    leaves_nothing,
    leaves_out,
    reuses_dependencies,
)
from workshop.checks.dockerfile import based_on, comes_from, pins_poetry, writes
from workshop.checks.program import ended_well, says, speech_bubble
from workshop.checks.server import (
    answers,
    first_process,
    reachable,
    starts,
    stops,
    tells_its_health,
)
from workshop.checks.user import becomes_ordinary_user, ordinary_user

__all__ = [
    "answers",
    "based_on",
    "becomes_ordinary_user",
    "builds",
    "comes_from",
    "contains",
    "ended_well",
    "environment",
    "exposes",
    "first_process",
    "installs",
    "keeps_secrets_out",
    "leaves_nothing",
    "leaves_out",
    "no_environment",
    "ordinary_user",
    "pins_poetry",
    "reachable",
    "reuses_dependencies",
    "says",
    "speech_bubble",
    "starts",
    "stops",
    "tells_its_health",
    "workdir",
    "writes",
]
