"""A learner's compose file: what it says, and the kit's own file for what is allowed of it."""

from workshop.analysis.compose.emit import emit
from workshop.analysis.compose.model import (
    BuildSpec,
    Compose,
    EnvFile,
    Healthcheck,
    Mount,
    Port,
    Problem,
    Refusal,
    Service,
    Watch,
)
from workshop.analysis.compose.parser import OBSOLETE, read
from workshop.analysis.compose.paths import RefusedError, on_disk, variables

__all__ = [
    "OBSOLETE",
    "BuildSpec",
    "Compose",
    "EnvFile",
    "Healthcheck",
    "Mount",
    "Port",
    "Problem",
    "Refusal",
    "RefusedError",
    "Service",
    "Watch",
    "emit",
    "on_disk",
    "read",
    "variables",
]
