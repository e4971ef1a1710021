"""What a container keeps and what it loses: seen by doing what learners are asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.analysis.container.app import LIMITS
from workshop.core.errors import UserError
from workshop.core.sanitise import plain
from workshop.model import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workshop.engine import Engine

FILE = "toto.py"
KEPT = "/kept"


@dataclass(frozen=True)
class Persistence:
    """What was seen. `diff` has A, C or D by path; the truths are of the file that was made."""

    working_folder: str
    files: frozenset[str]
    diff: dict[str, str]
    there_after_stop_and_start: bool
    there_after_rm: bool
    there_after_rm_in_a_volume: bool


class _Stage:
    """Containers of one image that only wait, made and removed one after the other."""

    def __init__(self, engine: Engine, image: str, name: Callable[[str], str]) -> None:
        self._engine, self._image, self._name = engine, image, name

    def wait(self, purpose: str, *options: str) -> str:
        """A new container; its name."""
        name = self._name(f"demonstration-{purpose}")
        words = (*LIMITS, "--network=none", "--detach", "--entrypoint=sleep", *options)
        done = self._engine.run(name, self._image, words, ["600"], timeout=60)
        if done.code and self._engine.info() is None:
            raise UserError("the container", "the Docker engine stopped answering", "Check again")
        if done.code:
            raise Failed(plain(done.last_line), "an image in which a program can wait")
        return name

    def lines(self, name: str, *words: str) -> list[str]:
        """What a command inside prints."""
        done = self._engine.execute(name, words, timeout=60)
        return [plain(line) for line in done.stdout.splitlines()] if not done.code else []

    def there(self, name: str, path: str) -> bool:
        """Whether a file is there inside."""
        return self._engine.execute(name, ("ls", path), timeout=60).code == 0


def observe_persistence(
    engine: Engine, image: str, name: Callable[[str], str], volume: str
) -> Persistence:
    """Make a file in a container, stop and start it, remove it, and look in a new one.

    `name` gives a container its name, from what it is for; `volume` is the name of a new one.
    """
    stage = _Stage(engine, image, name)
    first = stage.wait("first")
    folder, files = stage.lines(first, "pwd"), stage.lines(first, "ls", "-a")
    stage.lines(first, "touch", FILE)
    diff = _diff(engine.diff(first))
    engine.stop(first, 0)
    engine.start(first)
    restarted = stage.there(first, FILE)
    engine.remove(first)
    # A new volume belongs to root.
    rooted = ("--user=0", f"--mount=type=volume,source={volume},target={KEPT}")
    second = stage.wait("second", *rooted)
    removed = stage.there(second, FILE)
    stage.lines(second, "touch", f"{KEPT}/{FILE}")
    engine.remove(second)
    return Persistence(
        working_folder=folder[0] if folder else "/",
        files=frozenset(files) - {".", ".."},
        diff=diff,
        there_after_stop_and_start=restarted,
        there_after_rm=removed,
        there_after_rm_in_a_volume=stage.there(stage.wait("third", *rooted), f"{KEPT}/{FILE}"),
    )


def _diff(lines: Sequence[str]) -> dict[str, str]:
    """The letter of each path."""
    found = (line.partition(" ") for line in map(plain, lines))
    return {path: letter for letter, _, path in found}
