"""Grades one submission: evaluates its checks and returns a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.core.errors import UserError
from workshop.core.sanitise import plain_lines
from workshop.grading import causes
from workshop.model import NOT_CHECKED, STAGES, Check, Failed, Outcome, Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source
    from workshop.grading.causes import Diagnosis
    from workshop.grading.evaluation import Evaluation

_RANKS = {needs: rank for rank, needs in enumerate(STAGES)}
# Facts that are not prepared in advance: a health check adds a process to the container, a server
# that was shut down answers no requests, and failing tests disturb the services beside them.
_NOT_IN_ADVANCE = {"health", "shutdown", "failing_suite"}

HIDDEN = "(a planted secret)"
_INCONSISTENT = "failed only once in two runs: check again on a less busy machine"

# The causes that can show in the text of a submission alone: the others need not be looked for.
_STATIC_STAGES = ("dockerfile", "request", "compose")

# The first check that each failure was reported for, by its actual and expected text and its file,
# or by the id and the message of its cause and its recipe.
Reported = dict[tuple[str, str, str], Check]


def static(source: Source, note: str = "") -> Verdict:
    """Grade without a Docker engine, from the text of the submission alone."""
    reported: Reported = {}
    results = tuple(_judge_text(check, source, reported) for check in source.task.checks)
    return Verdict(source.task, results, static=not note, note=note)


def full(evaluation: Evaluation, on_result: Callable[[Result], None] = lambda _: None) -> Verdict:
    """Build and run the submission, and evaluate every check."""
    task = evaluation.task
    reported: Reported = {}
    for check in task.checks:
        if check.needs not in _NOT_IN_ADVANCE:
            evaluation.prepare(check.needs, check.of)
    results: dict[str, Result] = {}
    for check in sorted(task.checks, key=_rank):
        result = _hide(_judge(check, evaluation, reported), evaluation.cache.canary)
        results[check.id] = result
        on_result(result)
    ordered = tuple(results[check.id] for check in task.checks)
    return Verdict(task, ordered, standin_bases=evaluation.standin_bases)


def _hide(result: Result, secret: str) -> Result:
    """Hide the planted secret that a program printed: who knows it can keep it out of an image."""
    actual, hint = (text.replace(secret, HIDDEN) for text in (result.actual, result.hint))
    return result._replace(actual=actual, hint=hint)


def combine(first: Verdict, second: Verdict) -> Verdict:
    """Combine two verdicts on one submission; a check with two different outcomes is an error.

    A server may start late on a busy machine, which must not cost points.
    """
    pairs = zip(first.results, second.results, strict=True)
    results = tuple(
        one if one.outcome == two.outcome else Result(one.check, Outcome.ERROR, _INCONSISTENT)
        for one, two in pairs
    )
    return first._replace(results=results)


def confirmed(evaluate: Callable[[], Verdict]) -> Verdict:
    """Evaluate once, or twice if a check failed in a running container."""
    first = evaluate()
    if has_runtime_failure(first) and first.outcome == "failed":
        return combine(first, evaluate())
    return first


def has_runtime_failure(verdict: Verdict) -> bool:
    """Whether a check failed in a running container, where a second run may differ."""
    return any(r.outcome is Outcome.FAILED and r.check.stage == "app" for r in verdict.results)


def _rank(check: Check) -> int:
    return _RANKS.get(check.needs, _RANKS["app"])


def _judge(check: Check, evaluation: Evaluation, reported: Reported) -> Result:
    try:
        check.judge(evaluation.fact(check.needs, check.of))
    except Failed as failed:
        if failed.layer is not None:
            image = evaluation.fact("image", check.of)
            failed.line = _line_of_layer(image, failed.layer, evaluation.source, check)
        return _failed(check, failed, evaluation.source._replace(of=check.of), reported)
    except UserError as error:
        return _error(check, error, reported)
    except Exception as error:  # noqa: BLE001 - a bug in a check must not cost points
        return Result(check, Outcome.ERROR, f"the check itself failed: {error!r}")
    return Result(check, Outcome.PASSED)


def _error(check: Check, error: UserError, reported: Reported) -> Result:
    """The result of an error that is not the learner's fault; reported for one check only."""
    first = reported.setdefault((str(error), "", ""), check)
    if first is not check:
        return Result(check, Outcome.SKIPPED, f"{NOT_CHECKED}{first.title}")
    return Result(check, Outcome.ERROR, plain_lines(str(error)))


def _judge_text(check: Check, source: Source, reported: Reported) -> Result:
    judge = check.judge if check.stage == "source" else check.text
    try:
        file = source.blamed_file(check.of)
        if check.stage != "source" and file in source.task.answer:
            # Without this file, no build can run the check.
            source.read(file)
        if judge is not None:
            judge(source._replace(of=check.of))
    except Failed as failed:
        return _failed(check, failed, source._replace(of=check.of), reported, _STATIC_STAGES)
    if check.stage == "source":
        return Result(check, Outcome.PASSED)
    if judge is None:
        return Result(check, Outcome.SKIPPED, "needs a build and a run")
    return Result(check, Outcome.SKIPPED, "no problem found in the text; needs a build and a run")


def _failed(
    check: Check,
    failed: Failed,
    source: Source,
    reported: Reported,
    stages: tuple[str, ...] = causes.STAGES,
) -> Result:
    """The result of a failure, with its cause and the line to blame if they are known.

    If a build fails, every check that needs it fails the same way; only the first reports it.
    """
    first = reported.setdefault((failed.actual, failed.expected, failed.file), check)
    if first is not check:
        return Result(check, Outcome.SKIPPED, f"{NOT_CHECKED}{first.title}")
    line, file, hint = failed.line, failed.file, failed.hint
    if not line and not file:
        line, text_hint = _find_blame(check, source)
        hint = hint or text_hint
    found = None if hint or file else _diagnose(failed, source, line, stages)
    line = found.line or line if found else line
    result = Result(
        check,
        Outcome.FAILED,
        # Output of a learner's files and programs is sanitised here, and only here.
        actual=plain_lines(failed.actual),
        expected=plain_lines(failed.expected),
        why=failed.why or check.why,
        hint=plain_lines(hint or check.hint),
        line=line,
        file=file or (source.blamed_file(check.of) if line else ""),
    )
    return _with_cause(result, found, reported) if found else result


def _diagnose(
    failed: Failed, source: Source, line: int | None, stages: tuple[str, ...]
) -> Diagnosis | None:
    """Find the cause of a failure in a program's output, and in what the submission shows."""
    from workshop.grading import clues  # noqa: PLC0415 - only needed after a failure

    output = f"{failed.output}\n{failed.actual}"
    output = "\n".join([output, *clues.find_clues(source, output, line)])
    return causes.diagnose(output, clues.instructions(source), stages)


def _with_cause(result: Result, found: Diagnosis, reported: Reported) -> Result:
    """Add a cause to a result; one that another check has too is described only once."""
    cause = found.cause.id
    first = reported.setdefault((cause, found.message, result.check.of), result.check)
    if first is not result.check:
        hint = f"This has the same cause as: {first.title}"
        return result._replace(cause=cause, why="", hint=hint)
    why, hint = plain_lines(found.message), plain_lines(found.fix)
    return result._replace(cause=cause, why=why, hint=hint)


def _find_blame(check: Check, source: Source) -> tuple[int | None, str]:
    """Find the line that causes a failure and a hint, from the check's text or its `blame`."""
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
    """Find the line of the instruction that created a layer.

    An image's history ends with one step for each instruction of the last stage.
    """
    instructions = source.final(source.task.recipe(check.of)).instructions
    steps = image.history[-len(instructions) :] if instructions else ()
    pairs = zip(steps, instructions, strict=False)
    return next((instruction.line for step, instruction in pairs if step.layer == layer), None)
