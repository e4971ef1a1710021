"""A well-behaved submission, graded again and again beside a threat, and how long that takes.

A machine with two cores is busy with anything that runs beside a grading, and other programs make
the times noisy. So the time alone is measured in the same session, before the first threat and
again after every fifth one, and the last few of these count. A threat's ratio is the slowest
neighbour beside it by the median time alone. The verdict and the marks must always be the same;
the ratio is recorded, for the scorecard, and only a gross breach fails: `GROSS` times as long and
longer than `PATIENCE` seconds, which no other work on the machine explains.
"""

from __future__ import annotations

import fcntl
import json
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from rubric.examples import describe, lay_out_answer

from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.model import Task, Verdict

    Judge = Callable[..., Verdict]

T = TypeVar("T")
TASK = course.task("basic-python")
GROSS, PATIENCE = 10.0, 60.0
_EVERY, _LAST = 5, 3
RESULTS = Path(__file__).with_name("results.json")


class Beside(NamedTuple):
    """What became of the neighbour beside a threat: its slowest grading by the time alone."""

    verdicts: tuple[Verdict, ...]
    seconds: float
    ratio: float

    def check(self) -> None:
        """Fail if the neighbour lost points, or was held up beyond all measure."""
        for verdict in self.verdicts:
            assert verdict.outcome == "passed", describe(verdict)
            assert verdict.score == TASK.max_score
        assert self.ratio < GROSS or self.seconds < PATIENCE, f"{self.ratio:.1f} times as long"


class Neighbour:
    """Grades a right answer in `folder` with `judge`."""

    def __init__(self, judge: Callable[[Task, Path], Verdict], folder: Path) -> None:
        self._judge, self._folder = judge, folder
        lay_out_answer(TASK, folder)
        # Fill BuildKit's cache, for both of the two control groups that are then in use.
        with ThreadPoolExecutor(2) as threads:
            for _, verdict in threads.map(lambda _: self._grade(), range(2)):
                assert verdict.outcome == "passed", describe(verdict)
        self._alone: list[float] = []
        self._threats = 0

    def beside(self, attack: Callable[[], T]) -> tuple[T, Beside]:
        """Run `attack` while the neighbour is graded, at least once, until the attack has ended."""
        if self._threats % _EVERY == 0:
            self._alone = [*self._alone, self._grade()[0]][-_LAST:]
        self._threats += 1
        ended = threading.Event()
        with ThreadPoolExecutor(1) as threads:
            graded = threads.submit(self._grade_until, ended)
            try:
                found = attack()
            finally:
                ended.set()
            times, verdicts = zip(*graded.result(), strict=True)
        ratio = max(times) / statistics.median(self._alone)
        return found, Beside(verdicts, max(times), ratio)

    def _grade_until(self, ended: threading.Event) -> list[tuple[float, Verdict]]:
        found = [self._grade()]
        while not ended.is_set():
            found.append(self._grade())
        return found

    def _grade(self) -> tuple[float, Verdict]:
        start = time.monotonic()
        verdict = self._judge(TASK, self._folder)
        return time.monotonic() - start, verdict


def record(name: str, **facts: Any) -> None:
    """Write what was seen of a threat to the file of results, for the scorecard."""
    with RESULTS.open("a+", encoding="utf-8") as file:
        # Several processes may run tests.
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        found = json.loads(file.read() or "{}")
        found[name] = facts
        file.truncate(0)
        file.write(json.dumps(dict(sorted(found.items())), indent=1, ensure_ascii=False) + "\n")
