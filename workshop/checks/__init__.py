"""Requirements that many tasks share: each takes a line to use.

A check judges what was built and what runs. Its `text`, where there is one, judges the same by
the Dockerfile's words, for whoever has no engine; it speaks up only where the words leave no doubt.
"""

from workshop.checks.config import builds, environment, exposes, no_environment, workdir
from workshop.checks.content import (
    caches_dependencies,
    contains,
    contains_no_secrets,
    installs,
    leaves_nothing,
    leaves_out,
)
from workshop.checks.dockerfile import based_on, comes_from, pins_poetry, writes
from workshop.checks.program import ended_well, says, speech_bubble
from workshop.checks.server import (
    healthcheck_works,
    listens_on_all_interfaces,
    returns_expected_response,
    server_is_process_1,
    server_starts,
    stops_on_sigterm,
)
from workshop.checks.user import becomes_non_root, runs_as_non_root

__all__ = [
    "based_on",
    "becomes_non_root",
    "builds",
    "caches_dependencies",
    "comes_from",
    "contains",
    "contains_no_secrets",
    "ended_well",
    "environment",
    "exposes",
    "healthcheck_works",
    "installs",
    "leaves_nothing",
    "leaves_out",
    "listens_on_all_interfaces",
    "no_environment",
    "pins_poetry",
    "returns_expected_response",
    "runs_as_non_root",
    "says",
    "server_is_process_1",
    "server_starts",
    "speech_bubble",
    "stops_on_sigterm",
    "workdir",
    "writes",
]
