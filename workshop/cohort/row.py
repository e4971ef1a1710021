"""One mark of a class: a learner, a task, and the verdict on what was handed in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from workshop.cohort.answer import AnswerFile
    from workshop.cohort.submission import Learner


class Row(NamedTuple):
    """The mark of a learner for a task.

    `outcome`, `score` and `max_score` are those of the verdict, whose JSON `document` has the
    schema `workshop/verdict/v1`. `override` replaces the score; `comment` is the instructor's.
    `flags` are short remarks, such as `identical to ben`. `files` are those of the answer, as they
    were graded. The other fields are those of the `Submission`.
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
    files: tuple[AnswerFile, ...] = ()

    @property
    def points(self) -> float:
        """The points that count: the instructor's, or else those of the verdict."""
        return self.score if self.override is None else self.override

    @property
    def percent(self) -> int:
        """The points in percent of the full points, rounded to a whole number, .5 upwards."""
        return math.floor(100 * self.points / self.max_score + 0.5) if self.max_score else 0
