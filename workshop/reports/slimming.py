"""Formats the trials of `workshop slim`: what each change saves, and its patch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.core.sanitise import plain
from workshop.reports.terminal import wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.trials.slim import Slimming, Trial

WIDTH = 80


def format_slimming(found: Slimming) -> str:
    """Return the changes to suggest with their gains and patches, and what else was tried.

    The text is `WIDTH` columns wide, apart from the learner's own lines; sizes are in decimal
    megabytes.
    """
    lines = [*_suggestions(found), *_others(found), *_total(found)]
    return "\n".join([*lines, ""])


def _suggestions(found: Slimming) -> Iterator[str]:
    for number, trial in enumerate(found.kept, 1):
        yield from wrap(f"{number}. {trial.title}: saves {_format(trial.gain)} MB.", WIDTH)
        yield ""
        yield from (plain(line) for line in trial.patch.splitlines())
        yield ""


def _others(found: Slimming) -> Iterator[str]:
    others = [trial for trial in found.trials if not trial.is_kept]
    if others:
        yield "Tried, and not suggested:"
        for trial in others:
            yield from (f"  {line}" for line in wrap(_explain(trial), WIDTH - 2))
        yield ""


def _explain(trial: Trial) -> str:
    detail = f" ({plain(trial.detail.splitlines()[0])})" if trial.detail else ""
    return f"{trial.title}: {trial.reason}{detail}."


def _total(found: Slimming) -> Iterator[str]:
    size = _format(found.size_before)
    if not found.kept:
        yield from wrap(f"The image has {size} MB. No change was found that makes it smaller.")
        return
    count = len(found.kept)
    changes = "1 change" if count == 1 else f"{count} changes, each on top of those before it"
    yield from wrap(
        f"{size} MB before, {_format(found.size_after)} MB after {changes}. Every check that "
        "passed before still passes."
    )


def _format(size: int) -> str:
    return f"{size / 1e6:,.1f}"
