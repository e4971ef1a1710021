"""One submission to one verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.core.errors import UserError
from workshop.core.sanitise import plain_lines
from workshop.model import STAGES, Check, Failed, Outcome, Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source
    from workshop.grading.evaluation import Evaluation

_RANKS = {needs: rank for rank, needs in enumerate(STAGES)}
# What is made only when it is its turn: a health check is one more process for a while, and
# nothing can be asked of a server that has ended; tests that are red disturb what is beside them.
_LAST = {"health", "shutdown", "failing_suite"}


_DISAGREED = "it failed once, and not when it was looked at again: check it on a quieter machine"

Blames = dict[tuple[str, str, str], Check]


def static(source: Source, note: str = "") -> Verdict:
    """What can be said without an engine: the text's own checks, and what it gives away."""
    blames: Blames = {}
    results = tuple(_by_text(check, source, blames) for check in source.task.checks)
    return Verdict(source.task, results, static=not note, note=note)


def full(evaluation: Evaluation, on_result: Callable[[Result], None] = lambda _: None) -> Verdict:
    """Build, run, and judge everything."""
    task = evaluation.task
    blames: Blames = {}
    for check in task.checks:
        if check.needs not in _LAST:
            evaluation.prepare(check.needs, check.of)
    results: dict[str, Result] = {}
    for check in sorted(task.checks, key=_rank):
        result = results[check.id] = _judge(check, evaluation, blames)
        on_result(result)
    ordered = tuple(results[check.id] for check in task.checks)
    return Verdict(task, ordered, standin_bases=evaluation.on_standins)


def agreed(first: Verdict, second: Verdict) -> Verdict:
    """What two looks at the same submission agree on; what they do not is no grade.

    A busy machine can make a server late: that costs nobody points.
    """
    pairs = zip(first.results, second.results, strict=True)
    results = tuple(
        one if one.outcome == two.outcome else Result(one.check, Outcome.ERROR, _DISAGREED)
        for one, two in pairs
    )
    return first._replace(results=results)


def settled(look: Callable[[], Verdict]) -> Verdict:
    """The verdict of a look; where something fails in a running container, of two of them."""
    first = look()
    return agreed(first, look()) if runs_failed(first) and first.outcome == "failed" else first


def runs_failed(verdict: Verdict) -> bool:
    """Whether a failure was seen in a running container, which another look may not see."""
    return any(r.outcome is Outcome.FAILED and r.check.stage == "app" for r in verdict.results)


def _rank(check: Check) -> int:
    return _RANKS.get(check.needs, _RANKS["app"])


def _judge(check: Check, evaluation: Evaluation, blames: Blames) -> Result:
    try:
        check.judge(evaluation.fact(check.needs, check.of))
    except Failed as failed:
        if failed.layer is not None:
            image = evaluation.fact("image", check.of)
            failed.line = _line_of_layer(image, failed.layer, evaluation.source, check)
        return _failed(check, failed, evaluation.source, blames)
    except UserError as error:
        return _troubled(check, error, blames)
    except Exception as error:  # noqa: BLE001 - a check's own fault must cost nobody points
        return Result(check, Outcome.ERROR, f"the check itself failed: {error!r}")
    return Result(check, Outcome.PASSED)


def _troubled(check: Check, error: UserError, blames: Blames) -> Result:
    """What is not the learner's fault; it too meets many checks, and is told once."""
    blamed = blames.setdefault((str(error), "", ""), check)
    if blamed is not check:
        return Result(check, Outcome.SKIPPED, "not looked at, for the same reason")
    return Result(check, Outcome.ERROR, plain_lines(str(error)))


def _by_text(check: Check, source: Source, blames: Blames) -> Result:
    judge = check.judge if check.stage == "source" else check.text
    if judge is None:
        return Result(check, Outcome.SKIPPED, "only a build and a run can tell")
    try:
        judge(source._replace(of=check.of))
    except Failed as failed:
        return _failed(check, failed, source, blames)
    if check.stage == "source":
        return Result(check, Outcome.PASSED)
    return Result(check, Outcome.SKIPPED, "the text looks right; only a build and a run can tell")


def _failed(check: Check, failed: Failed, source: Source, blames: Blames) -> Result:
    """A failure in full: where it names no line, the text may know one to blame.

    The same failure meets every check of a stage that broke: it is told once.
    """
    blamed = blames.setdefault((failed.actual, failed.expected, failed.file), check)
    if blamed is not check:
        return Result(check, Outcome.SKIPPED, f"not looked at, since this failed: {blamed.title}")
    line, file, hint = failed.line, failed.file, failed.hint
    if not line and not file:
        line, said = _blamed(check, source)
        hint = hint or said
    return Result(
        check,
        Outcome.FAILED,
        # Here, once, whatever a learner's files and programs said is made safe to show.
        actual=plain_lines(failed.actual),
        expected=plain_lines(failed.expected),
        why=failed.why or check.why,
        hint=plain_lines(hint or check.hint),
        line=line,
        file=file or (source.blamed_file(check.of) if line else ""),
    )


def _blamed(check: Check, source: Source) -> tuple[int | None, str]:
    """The line that a check's text takes offence at, and its hint; or that of an instruction."""
    try:
        if check.text:
            check.text(source._replace(of=check.of))
        if source.task.compose:
            return None, ""
        final = source.final(source.task.recipe(check.of))
    except Failed as failed:
        return failed.line, failed.hint
    lines = [step.line for step in final.instructions if step.keyword in check.blame]
    return (lines[-1] if lines else None), ""


def _line_of_layer(image: Image, layer: int, source: Source, check: Check) -> int | None:
    """The line of the instruction that made a layer: the history ends with one step for each."""
    steps = source.final(source.task.recipe(check.of)).instructions
    made = image.history[-len(steps) :] if steps else ()
    pairs = zip(made, steps, strict=False)
    return next((step.line for known, step in pairs if known.layer == layer), None)
