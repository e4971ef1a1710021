"""Parse a learner's compose file, and write a safe compose file from the permitted parts."""

from workshop.analysis.compose.emit import emit
from workshop.analysis.compose.model import BuildSpec, Compose, Mount, Port, Refusal, Service
from workshop.analysis.compose.parser import OBSOLETE, read
from workshop.analysis.compose.paths import RefusedError, read_environment

__all__ = [
    "OBSOLETE",
    "BuildSpec",
    "Compose",
    "Mount",
    "Port",
    "Refusal",
    "RefusedError",
    "Service",
    "emit",
    "read",
    "read_environment",
]
