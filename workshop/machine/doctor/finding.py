"""What the doctor finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.core.errors import UserError


class State(StrEnum):
    """How bad a finding is: with a warning, a part of the course may fail, or is slower."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Repair:
    """A change that fixes a finding and loses nothing. `action` is a sentence without its stop.

    `run` raises a `UserError` if it fails.
    """

    action: str
    run: Callable[[], object]


@dataclass(frozen=True)
class Finding:
    """What was `found` about a thing, and what is `wanted`; with a `fix` unless it is ok."""

    thing: str
    state: State
    found: str
    wanted: str = ""
    fix: str = ""
    repair: Repair | None = None


def ok(thing: str, found: str, wanted: str = "") -> Finding:
    """Return a finding that needs no fix."""
    return Finding(thing, State.OK, found, wanted)


def from_error(error: UserError, thing: str = "", wanted: str = "") -> Finding:
    """Return the finding for an error."""
    return Finding(thing or error.thing, State.PROBLEM, error.found, wanted, error.fix)
