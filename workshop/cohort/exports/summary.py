"""What a class did as a whole: the distribution of marks, common failures, alike submissions."""

from __future__ import annotations

from collections import Counter
from statistics import mean, median
from typing import TYPE_CHECKING, NamedTuple

from workshop.cohort.exports.text import checks, failures, is_graded, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workshop.cohort.row import Row

BINS = 10
MOST_ACTUALS = 200  # different findings that are counted for one check


class Distribution(NamedTuple):
    """How many rows have a percentage from 0 to 9, 10 to 19, and so on; 100 is in the last bin."""

    bins: tuple[int, ...]
    ungraded: int
    mean: float
    median: float

    @property
    def graded(self) -> int:
        """The number of rows with a mark."""
        return sum(self.bins)


class Cause(NamedTuple):
    """A check that failed: the ids of the learners, and what was found most often."""

    check: str
    title: str
    learners: tuple[str, ...]
    actual: str
    of_actual: int


class Alike(NamedTuple):
    """Learners whose submissions for a task are the same, byte by byte."""

    task: str
    learners: tuple[str, ...]


class Column(NamedTuple):
    """A check as a column of the matrix: its points, and how many learners failed it."""

    id: str
    title: str
    points: int
    failed: int


def distribution(rows: Sequence[Row]) -> Distribution:
    """Count the percentages of the rows that could be graded."""
    percents = [row.percent for row in rows if is_graded(row)]
    counts = Counter(min(max(percent, 0) // 10, BINS - 1) for percent in percents)
    return Distribution(
        tuple(counts[bin_] for bin_ in range(BINS)),
        len(rows) - len(percents),
        mean(percents) if percents else 0.0,
        median(percents) if percents else 0.0,
    )


def columns(rows: Sequence[Row]) -> list[Column]:
    """Return every check of a task, in the order of its first row."""
    found: dict[str, Column] = {}
    for row in rows:
        for check in checks(row):
            id_ = one_line(check.get("id"))
            if id_ not in found:
                title = one_line(check.get("title") or id_)
                found[id_] = Column(id_, title, int(check.get("max_points") or 0), 0)
            if check.get("outcome") == "failed":
                found[id_] = found[id_]._replace(failed=found[id_].failed + 1)
    return list(found.values())


def causes(rows: Sequence[Row]) -> list[Cause]:
    """Return the failed checks of a task, the most frequent first."""
    learners: dict[str, list[str]] = {}
    actuals: dict[str, Counter[str]] = {}
    titles: dict[str, str] = {}
    for row in rows:
        for check in failures(row):
            id_ = one_line(check.get("id"))
            titles.setdefault(id_, one_line(check.get("title") or id_))
            learners.setdefault(id_, []).append(row.learner.id)
            counted = actuals.setdefault(id_, Counter())
            actual = one_line(check.get("actual") or "")
            if actual in counted or len(counted) < MOST_ACTUALS:
                counted[actual] += 1
    found = [
        Cause(id_, titles[id_], tuple(failed), *actuals[id_].most_common(1)[0])
        for id_, failed in learners.items()
    ]
    return sorted(found, key=lambda cause: -len(cause.learners))


def alike(rows: Sequence[Row]) -> list[Alike]:
    """Return the groups of learners who handed in the same files for the same task."""
    groups: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.digest:
            groups.setdefault((row.task, row.digest), []).append(row.learner.id)
    return [Alike(one_line(task), tuple(ids)) for (task, _), ids in groups.items() if len(ids) > 1]
