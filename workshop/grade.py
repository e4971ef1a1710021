"""One submission to one verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.model import STAGES, Check, Failed, Outcome, Result, Verdict
from workshop.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.bench import Bench
    from workshop.facts.source import Source

_RANKS = {needs: rank for rank, needs in enumerate(STAGES)}
# What is made only when it is its turn: nothing can be asked of a server that has ended.
_LAST = {"ending"}


def static(source: Source, note: str = "") -> Verdict:
    """What can be said without an engine: the text's own checks, and what it gives away."""
    results = tuple(_by_text(check, source) for check in source.task.checks)
    return Verdict(source.task, results, static=not note, note=note)


def full(bench: Bench, on_result: Callable[[Result], None] = lambda _: None) -> Verdict:
    """Build, run, and judge everything."""
    task = bench.task
    blames: dict[int, Check] = {}
    for check in task.checks:
        if check.needs not in _LAST:
            bench.prepare(check.needs, check.of)
    results: dict[str, Result] = {}
    for check in sorted(task.checks, key=lambda check: _RANKS[check.needs]):
        result = results[check.id] = _judge(check, bench, blames)
        on_result(result)
    ordered = tuple(results[check.id] for check in task.checks)
    return Verdict(task, ordered, standin_bases=_on_standins(bench))


def _judge(check: Check, bench: Bench, blames: dict[int, Check]) -> Result:
    try:
        fact = bench.fact(check.needs, check.of)
        check.judge(fact)
    except Failed as failed:
        # The same failure meets every check of a stage that broke: the first one is told.
        blamed = blames.setdefault(id(failed), check)
        if blamed is not check:
            return Result(
                check, Outcome.SKIPPED, seen=f"not looked at, since this failed: {blamed.title}"
            )
        return _failed(check, failed, bench.source)
    except Trouble as trouble:
        return Result(check, Outcome.ERROR, seen=str(trouble))
    except Exception as error:  # noqa: BLE001 - a check's own fault must cost nobody points
        return Result(check, Outcome.ERROR, seen=f"the check itself failed: {error!r}")
    return Result(check, Outcome.PASSED)


def _failed(check: Check, failed: Failed, source: Source | None = None) -> Result:
    """A failure in full; where it names no line, the text may know one to blame."""
    if source and check.text and failed.line is None:
        try:
            check.text(source)
        except Failed as blamed:
            failed.line, failed.file = blamed.line, blamed.file
            failed.hint = failed.hint or blamed.hint
    file = failed.file or source.path(source.task.recipe(check.of)) if source else failed.file
    return Result(
        check,
        Outcome.FAILED,
        seen=failed.seen,
        wanted=failed.wanted,
        why=failed.why or check.why,
        hint=failed.hint or check.hint,
        line=failed.line,
        file=file if failed.line or failed.file else "",
    )


def _by_text(check: Check, source: Source) -> Result:
    judge = check.judge if check.needs == "source" else check.text
    if judge is None:
        return Result(check, Outcome.SKIPPED, seen="only a build and a run can tell")
    try:
        judge(source)
    except Failed as failed:
        return _failed(check, failed, source)
    if check.needs == "source":
        return Result(check, Outcome.PASSED)
    return Result(
        check, Outcome.SKIPPED, seen="the text looks right; only a build and a run can tell"
    )


def _on_standins(bench: Bench) -> bool:
    return False
