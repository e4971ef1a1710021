"""A learner's compose file: what it says, and the kit's own file for what is allowed of it."""

from workshop.facts.compose.disk import Refused, on_disk, variables
from workshop.facts.compose.emit import emit
from workshop.facts.compose.file import OBSOLETE, read
from workshop.facts.compose.model import (
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
    "Refused",
    "Service",
    "Watch",
    "emit",
    "on_disk",
    "read",
    "variables",
]
