"""What a class did as a whole: the distribution of marks, common causes, alike submissions."""

from __future__ import annotations

from collections import Counter
from functools import cache
from statistics import mean, median
from typing import TYPE_CHECKING, Any, NamedTuple

from workshop.cohort import similarity
from workshop.cohort.exports.text import checks, is_graded, one_line, shorten
from workshop.grading import causes
from workshop.tasks import course

if TYPE_CHECKING:
    from array import array
    from collections.abc import Mapping, Sequence

    from workshop.cohort.row import Row
    from workshop.cohort.submission import Learner

BINS = 10
MOST_TEXTS = 200  # different findings, or fixes, that are counted for one cause
LONGEST_TEXT = 200  # characters of a finding or a fix


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
    """Why checks failed: a cause of the table of causes, or else the check itself.

    `learners` has the ids of those who failed, `checks` the titles of the checks. `actual` is what
    was found most often, `of_actual` how often, and `fix` the most frequent hint. `source` is the
    address of a page about a cause of the table, and empty for a check.
    """

    id: str
    title: str
    learners: tuple[str, ...]
    checks: tuple[str, ...]
    actual: str
    of_actual: int
    fix: str
    source: str


class Alike(NamedTuple):
    """Learners whose submissions for a task are the same, byte by byte."""

    task: str
    learners: tuple[str, ...]


class Similar(NamedTuple):
    """Two learners whose answers to a task are nearly the same; `percent` is the similarity."""

    task: str
    learners: tuple[str, str]
    percent: int


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
    """What the class did: by task, the indices of each learner's rows, and alike submissions.

    `outcomes` counts the rows of each outcome.
    """

    tasks: Sequence[TaskSummary]
    learners: Mapping[Learner, Sequence[int]]
    alike: Sequence[Alike]
    similar: Sequence[Similar]
    outcomes: Mapping[str, int]


def summarise(rows: Sequence[Row]) -> Summary:
    """Read each row once, and keep only numbers and short texts of it."""
    tasks: dict[str, _Counts] = {}
    learners: dict[str, tuple[Learner, list[int]]] = {}
    digests: dict[tuple[str, str], list[str]] = {}
    outcomes: Counter[str] = Counter()
    for index, row in enumerate(rows):
        outcomes[row.outcome] += 1
        # Of identical submissions, one is compared with the others.
        is_new = (row.task, row.digest) not in digests
        tasks.setdefault(row.task, _Counts()).add(index, row, is_compared=is_new)
        learners.setdefault(row.learner.id, (row.learner, []))[1].append(index)
        if row.digest:
            digests.setdefault((row.task, row.digest), []).append(row.learner.id)
    alike = [
        Alike(one_line(task), tuple(ids)) for (task, _), ids in digests.items() if len(ids) > 1
    ]
    similar = [pair for name, counts in tasks.items() for pair in counts.find_similar(name)]
    summaries = [counts.summarise(name) for name, counts in tasks.items()]
    return Summary(summaries, dict(learners.values()), alike, similar, outcomes)


class _Counts:
    """What is counted in the rows of a task."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.percents: list[int] = []
        self.columns: dict[str, Column] = {}
        # By the id of a cause of the table, or that of a check.
        self.causes: dict[tuple[str, str], _CauseCounts] = {}
        self.sketches: dict[str, array[int]] = {}

    def add(self, index: int, row: Row, *, is_compared: bool) -> None:
        self.rows.append(index)
        if row.files and is_compared:
            self.sketches[row.learner.id] = similarity.sketch(file.text for file in row.files)
        if is_graded(row):
            self.percents.append(row.percent)
        for check in checks(row):
            id_ = one_line(check.get("id"))
            title = one_line(check.get("title") or id_)
            points = int(check.get("max_points") or 0)
            column = self.columns.setdefault(id_, Column(id_, title, points, 0))
            if check.get("outcome") == "failed":
                self.columns[id_] = column._replace(failed=column.failed + 1)
                cause = one_line(check.get("cause") or "")
                key = (cause, "") if cause in _known_causes() else ("", id_)
                self.causes.setdefault(key, _CauseCounts()).add(row.learner.id, title, check)

    def summarise(self, name: str) -> TaskSummary:
        found = [counts.summarise(*ids) for ids, counts in self.causes.items()]
        found.sort(key=lambda cause: -len(cause.learners))
        columns = list(self.columns.values())
        return TaskSummary(name, self.rows, columns, self._distribution(), found)

    def find_similar(self, name: str) -> list[Similar]:
        known = similarity.kit_digests(name) if name in course.TASKS else frozenset()
        pairs = similarity.find_pairs(self.sketches, known)
        return [
            Similar(one_line(name), (pair.one, pair.other), round(100 * pair.share))
            for pair in pairs
        ]

    def _distribution(self) -> Distribution:
        bins = Counter(min(max(percent, 0) // 10, BINS - 1) for percent in self.percents)
        return Distribution(
            tuple(bins[bin_] for bin_ in range(BINS)),
            len(self.rows) - len(self.percents),
            mean(self.percents) if self.percents else 0.0,
            median(self.percents) if self.percents else 0.0,
        )


class _CauseCounts:
    """What is counted of the failures with one cause; most have one check for each learner."""

    def __init__(self) -> None:
        self.learners: dict[str, None] = {}
        self.titles: dict[str, None] = {}
        self.actuals: Counter[str] = Counter()
        self.fixes: Counter[str] = Counter()

    def add(self, learner: str, title: str, check: Mapping[str, Any]) -> None:
        self.learners[learner] = None
        self.titles[title] = None
        _count(self.actuals, check.get("actual"))
        _count(self.fixes, check.get("hint"))

    def summarise(self, cause: str, check: str) -> Cause:
        known = _known_causes().get(cause)
        titles = tuple(self.titles)
        return Cause(
            cause or check,
            known.title if known else titles[0],
            tuple(self.learners),
            titles,
            *self.actuals.most_common(1)[0],
            self.fixes.most_common(1)[0][0],
            known.source if known else "",
        )


@cache
def _known_causes() -> dict[str, causes.Cause]:
    return {cause.id: cause for cause in causes.table()}


def _count(counter: Counter[str], text: object) -> None:
    line = shorten(one_line(text or ""), LONGEST_TEXT)
    if line in counter or len(counter) < MOST_TEXTS:
        counter[line] += 1
