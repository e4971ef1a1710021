"""What a container keeps and loses, observed by the steps that learners take."""

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
VOLUME_PATH = "/kept"


@dataclass(frozen=True)
class Persistence:
    """What was observed. `diff` has A, C or D by path; the booleans are about `FILE`."""

    working_folder: str
    files: frozenset[str]
    diff: dict[str, str]
    there_after_stop_and_start: bool
    there_after_rm: bool
    there_after_rm_in_a_volume: bool


class _IdleContainers:
    """Starts containers of one image that only run `sleep`, and executes commands in them.

    `limits` are options of `docker run`.
    """

    def __init__(
        self, engine: Engine, image: str, name: Callable[[str], str], limits: Sequence[str]
    ) -> None:
        self._engine, self._image, self._name, self._limits = engine, image, name, limits

    def start(self, purpose: str, *options: str) -> str:
        """Start a container; return its name."""
        name = self._name(f"persistence-{purpose}")
        fixed = (*LIMITS, *self._limits, "--network=none", "--detach", "--entrypoint=sleep")
        options = (*fixed, *options)
        done = self._engine.run(name, self._image, options, ["600"], timeout=60)
        if done.code and self._engine.info() is None:
            raise UserError("the container", "the Docker engine stopped answering", "Check again")
        if done.code:
            raise Failed(plain(done.last_line), "an image that can run `sleep`")
        return name

    def lines(self, name: str, *argv: str) -> list[str]:
        """Execute a command in a container; return the lines of its output."""
        done = self._engine.execute(name, argv, timeout=60)
        return [plain(line) for line in done.stdout.splitlines()] if not done.code else []

    def exists(self, name: str, path: str) -> bool:
        """Whether a path exists in a container."""
        return self._engine.execute(name, ("ls", path), timeout=60).code == 0


def observe_persistence(
    engine: Engine,
    image: str,
    name: Callable[[str], str],
    volume: str,
    limits: Sequence[str] = (),
) -> Persistence:
    """Create a file in a container, stop, start and remove the container, and look in a new one.

    `name` returns a container name for a purpose; `volume` is the name of a new volume. `limits`
    are options of `docker run`.
    """
    containers = _IdleContainers(engine, image, name, limits)
    first = containers.start("first")
    folder, files = containers.lines(first, "pwd"), containers.lines(first, "ls", "-a")
    containers.lines(first, "touch", FILE)
    diff = _parse_diff(engine.diff(first))
    engine.stop(first, 0)
    engine.start(first)
    after_restart = containers.exists(first, FILE)
    engine.remove(first)
    # A new volume belongs to root.
    options = ("--user=0", f"--mount=type=volume,source={volume},target={VOLUME_PATH}")
    second = containers.start("second", *options)
    after_rm = containers.exists(second, FILE)
    containers.lines(second, "touch", f"{VOLUME_PATH}/{FILE}")
    engine.remove(second)
    third = containers.start("third", *options)
    return Persistence(
        working_folder=folder[0] if folder else "/",
        files=frozenset(files) - {".", ".."},
        diff=diff,
        there_after_stop_and_start=after_restart,
        there_after_rm=after_rm,
        there_after_rm_in_a_volume=containers.exists(third, f"{VOLUME_PATH}/{FILE}"),
    )


def _parse_diff(lines: Sequence[str]) -> dict[str, str]:
    """Return the letter of each path in the output of `docker diff`."""
    parts = (line.partition(" ") for line in map(plain, lines))
    return {path: letter for letter, _, path in parts}
