"""What a class did as a whole: the distribution of marks, common failures, alike submissions."""

from __future__ import annotations

from collections import Counter
from statistics import mean, median
from typing import TYPE_CHECKING, NamedTuple

from workshop.cohort.exports.text import checks, is_graded, one_line, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workshop.cohort.row import Row
    from workshop.cohort.submission import Learner

BINS = 10
MOST_ACTUALS = 200  # different findings that are counted for one check
LONGEST_ACTUAL = 200  # characters of a finding


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


class TaskSummary(NamedTuple):
    """What the class did in one task; `rows` are the indices of its rows."""

    name: str
    rows: Sequence[int]
    columns: Sequence[Column]
    distribution: Distribution
    causes: Sequence[Cause]


class Summary(NamedTuple):
    """What the class did: by task, the indices of each learner's rows, and alike submissions."""

    tasks: Sequence[TaskSummary]
    learners: Mapping[Learner, Sequence[int]]
    alike: Sequence[Alike]


def summarise(rows: Sequence[Row]) -> Summary:
    """Read each row once, and keep only numbers and short texts of it."""
    tasks: dict[str, _Counts] = {}
    learners: dict[str, tuple[Learner, list[int]]] = {}
    digests: dict[tuple[str, str], list[str]] = {}
    for index, row in enumerate(rows):
        tasks.setdefault(row.task, _Counts()).add(index, row)
        learners.setdefault(row.learner.id, (row.learner, []))[1].append(index)
        if row.digest:
            digests.setdefault((row.task, row.digest), []).append(row.learner.id)
    alike = [
        Alike(one_line(task), tuple(ids)) for (task, _), ids in digests.items() if len(ids) > 1
    ]
    return Summary(
        [counts.summarise(name) for name, counts in tasks.items()], dict(learners.values()), alike
    )


class _Counts:
    """What is counted in the rows of a task."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.percents: list[int] = []
        self.columns: dict[str, Column] = {}
        self.learners: dict[str, list[str]] = {}
        self.actuals: dict[str, Counter[str]] = {}

    def add(self, index: int, row: Row) -> None:
        self.rows.append(index)
        if is_graded(row):
            self.percents.append(row.percent)
        for check in checks(row):
            id_ = one_line(check.get("id"))
            title = one_line(check.get("title") or id_)
            points = int(check.get("max_points") or 0)
            column = self.columns.setdefault(id_, Column(id_, title, points, 0))
            if check.get("outcome") == "failed":
                self.columns[id_] = column._replace(failed=column.failed + 1)
                self.learners.setdefault(id_, []).append(row.learner.id)
                actual = one_line(check.get("actual") or "")
                self._count_actual(id_, shorten(actual, LONGEST_ACTUAL))

    def _count_actual(self, id_: str, actual: str) -> None:
        counted = self.actuals.setdefault(id_, Counter())
        if actual in counted or len(counted) < MOST_ACTUALS:
            counted[actual] += 1

    def summarise(self, name: str) -> TaskSummary:
        causes = [
            Cause(id_, self.columns[id_].title, tuple(ids), *self.actuals[id_].most_common(1)[0])
            for id_, ids in self.learners.items()
        ]
        causes.sort(key=lambda cause: -len(cause.learners))
        columns = list(self.columns.values())
        return TaskSummary(name, self.rows, columns, self._distribution(), causes)

    def _distribution(self) -> Distribution:
        bins = Counter(min(max(percent, 0) // 10, BINS - 1) for percent in self.percents)
        return Distribution(
            tuple(bins[bin_] for bin_ in range(BINS)),
            len(self.rows) - len(self.percents),
            mean(self.percents) if self.percents else 0.0,
            median(self.percents) if self.percents else 0.0,
        )
