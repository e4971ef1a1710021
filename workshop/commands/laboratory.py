"""A full check: from a learner's folder and an engine to a verdict."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from workshop.core.paths import cache_folder
from workshop.engine import Engine
from workshop.grading import grade
from workshop.grading.cache import Cache
from workshop.grading.evaluation import Evaluation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workshop.analysis.source import Source
    from workshop.core.process import SubprocessRunner
    from workshop.model import Verdict


def examine(source: Source, run: SubprocessRunner) -> Verdict:
    """Build, run and judge; without an engine, what the text alone tells."""
    engine = Engine(run)
    verdict = grade.settled(lambda: _look(engine, source))
    if verdict.outcome == "ungradable" and engine.info() is None:
        note = "no Docker engine answers. Start one with make up; workshop doctor says more"
        return grade.static(source, note)
    return verdict


def _look(engine: Engine, source: Source) -> Verdict:
    cache = Cache(cache_folder())
    with (
        _progress(source.task.name) as say,
        Evaluation(engine, source, cache, say=say) as evaluation,
    ):
        return grade.full(evaluation)


@contextlib.contextmanager
def _progress(name: str) -> Iterator[Callable[[str], None]]:
    """Shows the step that a build is at, where somebody sits before a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - it takes a tenth of a second to load

    from workshop.core.progress import ProgressDisplay  # noqa: PLC0415

    with (
        ProgressDisplay(Console(stderr=True)) as display,
        display.job(name, "building and running") as job,
    ):
        yield job.step
