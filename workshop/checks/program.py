"""A container that runs a program to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.analysis.container.cowsay import read_bubble
from workshop.model import Check, Failed, check

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.analysis.container.app import Run
    from workshop.analysis.container.cowsay import SpeechBubble


def prints(
    judge: Callable[[Run], object], *, title: str, hint: str, name: str = "prints-message"
) -> Check:
    """Require exit code 0 and an output that `judge` accepts."""

    @check(
        points=3,
        name=name,
        title=title,
        why="CMD is the command that a container runs by default.",
        hint=hint,
    )
    def prints(run: Run) -> None:
        require_exit_code_0(run)
        judge(run)

    return prints


def command_can_be_overridden(
    judge: Callable[[Run], None], command: tuple[str, ...], *, prints: str, hint: str, of: str
) -> Check:
    """Require that `command` after the image name replaces CMD; `of` is its recipe's name."""
    return check(
        points=2,
        name="command-can-be-overridden",
        title=f"docker run IMAGE {' '.join(command)} prints {prints}",
        blame=("ENTRYPOINT", "CMD"),
        why="Arguments after the image name replace CMD, but are appended to ENTRYPOINT.",
        hint=hint,
    )(judge)._replace(of=of)


def require_exit_code_0(run: Run) -> None:
    """Raise `Failed` if the program ended with another exit code."""
    if run.code:
        last_lines = "\n".join(run.output.splitlines()[-20:])
        raise Failed(f"exit code {run.code}, after this output:\n{last_lines}", "exit code 0")


def read_speech_bubble(run: Run) -> SpeechBubble:
    """Return cowsay's speech bubble; raise `Failed` if it is missing or empty."""
    require_exit_code_0(run)
    bubble = read_bubble(run.output)
    if bubble is None or not bubble.animal.strip():
        raise Failed(f"the output is: {run.output[:200] or 'empty'}", "a speech bubble of cowsay")
    if not bubble.words:
        raise Failed("the speech bubble is empty", "text in the speech bubble")
    return bubble
