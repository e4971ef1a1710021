"""Makes the image of an answer smaller, one rewrite after another: each is built and checked.

A rewrite is kept if the image has fewer bytes and every check that passed before still passes.
Each is tried on top of those that were kept before it, so that all of them together are tried too.
"""

from __future__ import annotations

import contextlib
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis import source
from workshop.core.errors import UserError
from workshop.core.process import own_folder
from workshop.grading.build_context import copy_submission
from workshop.model import Failed, Outcome
from workshop.trials import rewrites
from workshop.trials.bench import Bench, Measured, evaluate, lost_checks, passed_checks, restore
from workshop.trials.draft import read_draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from workshop.analysis.source import Source
    from workshop.engine import Engine
    from workshop.grading.cache import Cache
    from workshop.model import Verdict
    from workshop.trials.bench import Observer
    from workshop.trials.draft import Draft
    from workshop.trials.rewrites import Rewrite

# Fewer bytes are not worth a change.
LEAST_GAIN = 100_000


class Reason(StrEnum):
    """Why a rewrite was kept, or not."""

    KEPT = "kept"
    NO_BUILD = "it does not build"
    NO_GAIN = "it saves less than 0.1 MB"
    FAILS = "a check fails"
    UNKNOWN = "the kit could not check it"


_REMARKS = {
    Reason.NO_BUILD: "does not build",
    Reason.NO_GAIN: "saves too little",
    Reason.FAILS: "fails a check",
    Reason.UNKNOWN: "could not be checked",
}


class Trial(NamedTuple):
    """A rewrite that was tried: its draft, and the one it changed.

    `size` is that of the image in bytes, 0 without a build, and `gain` how much smaller it is than
    that of the draft before. `detail` says what failed.
    """

    title: str
    before: Draft
    after: Draft
    reason: Reason
    size: int = 0
    gain: int = 0
    detail: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether the rewrite is suggested."""
        return self.reason is Reason.KEPT

    @property
    def patch(self) -> str:
        """The change as a unified diff."""
        return self.after.diff(self.before)


class Slimming(NamedTuple):
    """All trials, the draft at the start and the last one that was kept, and their image sizes."""

    start: Draft
    end: Draft
    size_before: int
    size_after: int
    trials: tuple[Trial, ...]

    @property
    def kept(self) -> tuple[Trial, ...]:
        """The rewrites to suggest."""
        return tuple(trial for trial in self.trials if trial.is_kept)


def slim(
    found: Source, engine: Engine, cache: Cache, observer: Observer, bases: Sequence[str] = ()
) -> Slimming:
    """Try every rewrite of an answer; raise `Failed` if its image does not build as it is.

    `bases` are the base images that a slim variant may be chosen from.
    """
    with own_folder() as folder:
        bench = Bench(engine, cache, found.task, folder, observer)
        bench.exercise.mkdir()
        copy_submission(found, bench.exercise)
        start = read_draft(source.find(found.task, bench.exercise))
        with observer.job("Build and check it as it is") as (on_line, note):
            first = evaluate(bench, on_line)
            note(_describe(first))
        current, size, trials = start, first.size, []
        for trial in _try_all(bench, start, first, bases):
            trials.append(trial)
            if trial.is_kept:
                current, size = trial.after, trial.size
    return Slimming(start, current, first.size, size, tuple(trials))


def _try_all(bench: Bench, start: Draft, first: Measured, bases: Sequence[str]) -> Iterator[Trial]:
    """Yield a trial of each rewrite, on top of those that were kept."""
    current, size = start, first.size
    tried: set[Draft] = {start}
    ways: list[Callable[[Draft], Iterator[Rewrite]]] = [*rewrites.REWRITES]
    ways.append(partial(rewrites.use_slim_base, bases=bases))
    for rewrite in ways:
        while (found := _next(rewrite, current, tried)) is not None:
            tried.add(found.draft)
            trial = _try(bench, found, current, size, first.verdict)
            yield trial
            if trial.is_kept:
                current, size = trial.after, trial.size


def _next(
    rewrite: Callable[[Draft], Iterator[Rewrite]], draft: Draft, tried: set[Draft]
) -> Rewrite | None:
    """Return the first result of a rewrite that has not been tried; None if there is none."""
    with contextlib.suppress(Failed):
        return next((found for found in rewrite(draft) if found.draft not in tried), None)
    return None


def _try(bench: Bench, found: Rewrite, before: Draft, size: int, first: Verdict | None) -> Trial:
    """Build and check a rewrite in the copy of the exercise."""
    trial = Trial(found.title, before, found.draft, Reason.NO_BUILD)
    with bench.observer.job(found.title) as (on_line, note):
        found.draft.write(bench.exercise)
        try:
            result = evaluate(bench, on_line, size - LEAST_GAIN)
        except Failed as failed:
            trial = trial._replace(detail=failed.actual)
        except UserError as error:
            # A base that is not here, for example, or a registry that does not answer.
            trial = trial._replace(reason=Reason.UNKNOWN, detail=str(error))
        else:
            trial = _judge(trial, result, size, first)
        finally:
            if not trial.is_kept:
                restore(before, found.draft, bench.exercise)
        note(_remark(trial))
    return trial


def _judge(trial: Trial, result: Measured, size: int, first: Verdict | None) -> Trial:
    """Decide whether a trial that was built is kept."""
    trial = trial._replace(size=result.size, gain=size - result.size)
    if result.verdict is None:
        return trial._replace(reason=Reason.NO_GAIN)
    lost = lost_checks(first, result.verdict)
    if not lost:
        return trial._replace(reason=Reason.KEPT)
    is_failure = any(one.outcome is Outcome.FAILED for one in lost)
    worst = next((one for one in lost if one.outcome is Outcome.FAILED), lost[0])
    reason = Reason.FAILS if is_failure else Reason.UNKNOWN
    return trial._replace(reason=reason, detail=worst.check.title)


def _describe(result: Measured) -> str:
    count = len(result.verdict.results) if result.verdict else 0
    return (
        f"{result.size / 1e6:,.1f} MB; {len(passed_checks(result.verdict))} of {count} checks pass"
    )


def _remark(trial: Trial) -> str:
    if trial.is_kept:
        return f"saves {trial.gain / 1e6:,.1f} MB"
    return _REMARKS[trial.reason]
