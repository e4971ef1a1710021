"""A container that says something and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.analysis.container.cowsay import read_bubble
from workshop.model import Check, Failed, check

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.analysis.container.app import Run
    from workshop.analysis.container.cowsay import SpeechBubble


def says(  # noqa: PLR0913 - the parts of a check
    judge: Callable[[Run], object],
    lesson: str,
    *,
    title: str,
    hint: str,
    points: int = 3,
    name: str = "prints-message",
) -> Check:
    """The program prints what it should."""

    @check(
        points=points,
        lesson=lesson,
        name=name,
        title=title,
        why="CMD is what a container does when nothing else is asked of it.",
        hint=hint,
    )
    def says_it(run: Run) -> None:
        ended_well(run)
        judge(run)

    return says_it


def ended_well(run: Run) -> None:
    """Raise where the program ended with any exit code but 0."""
    if run.code:
        last = "\n".join(run.output.splitlines()[-20:])
        raise Failed(f"it ended with exit code {run.code}, and printed:\n{last}", "exit code 0")


def speech_bubble(run: Run) -> SpeechBubble:
    """What cowsay's animal says, which has to be something."""
    ended_well(run)
    bubble = read_bubble(run.output)
    if bubble is None or not bubble.animal.strip():
        raise Failed(f"it printed: {run.output[:200] or 'nothing'}", "a speech bubble of cowsay")
    if not bubble.words:
        raise Failed("the speech bubble is empty", "words in it")
    return bubble
