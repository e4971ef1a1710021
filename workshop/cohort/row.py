"""One graded submission, as the store returns it and the exports read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from workshop.cohort.submission import Learner


class Row(NamedTuple):
    """The marks of one learner for one task.

    `document` is the JSON verdict of `workshop.reports.json`. `override` is the points that an
    instructor gave by hand instead of `score`, and `comment` is what they wrote to the learner.
    """

    learner: Learner
    task: str
    outcome: str
    score: int
    max_score: int
    flags: tuple[str, ...]
    handed_in: str
    origin: str
    digest: str
    document: dict[str, Any]
    override: float | None = None
    comment: str = ""

    @property
    def points(self) -> float:
        """The points that count: those given by hand, if there are any."""
        return self.score if self.override is None else self.override

    @property
    def percent(self) -> int:
        """The points as a percentage of the full points, rounded to a whole number."""
        return round(100 * self.points / self.max_score) if self.max_score else 0
