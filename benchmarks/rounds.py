"""Runs the sides of a comparison in turn, so that load on the machine affects all of them."""

from __future__ import annotations

import subprocess
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.core.errors import UserError
from workshop.site.measurements import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

# Fewer say nothing about the spread.
LEAST_ROUNDS = 3
LONGEST_RUN = 600.0  # seconds, for a program that does not end
SECONDS_TO_END = 30.0  # for a program that removes what it has created
# Of a program that fails: the arguments that its error shows, and the characters of its output.
LONGEST, PRINTED = 8, 500


@dataclass(frozen=True)
class Case:
    """One side of one subject. `run` does everything once, and returns a value for each figure."""

    subject: str
    side: str
    run: Callable[[], Mapping[str, float]]


class Rounds:
    """Repeats cases, and collects what they measure.

    Repeats them `rounds` times, or less often if `seconds` are over, but at least three times.
    """

    def __init__(
        self,
        rounds: int,
        seconds: float,
        on_step: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rounds, self.notes = rounds, list[str]()
        self._clock, self._on_step = clock, on_step
        self._end = clock() + seconds
        self._values: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(dict)

    @property
    def rows(self) -> list[Row]:
        """What has been measured so far."""
        return [
            Row(figure=figure, subject=subject, values=values)
            for (figure, subject), values in self._values.items()
        ]

    def note(self, text: str) -> None:
        """Add a sentence for the page."""
        self.notes.append(text)

    def step(self, text: str) -> None:
        """Show what is running."""
        self._on_step(text)

    def add(self, subject: str, side: str, found: Mapping[str, float]) -> None:
        """Add what one run of a case has measured: a value for each figure."""
        for figure, value in found.items():
            # Microseconds and bytes: more digits are noise.
            self._values[figure, subject].setdefault(side, []).append(round(value, 6))

    def compare(self, cases: Sequence[Case], *, warm_up: bool = True, share: float = 1.0) -> None:
        """Run all cases in turn, after a first round that does not count.

        Every second round runs in reverse, so that no case benefits from its place. `share` is the
        part of the remaining time that these cases may take.
        """
        start = self._clock()
        end = start + share * (self._end - start)
        if warm_up:
            for case in cases:
                self.step(f"first {case.subject}, {case.side}")
                case.run()
        for number in range(1, self.rounds + 1):
            began = self._clock()
            found = []
            for case in cases if number % 2 else reversed(cases):
                self.step(f"{number}/{self.rounds} {case.subject}, {case.side}")
                found.append((case, case.run()))
            # Whole rounds only, and each side in the order of the cases.
            for case, values in found if number % 2 else reversed(found):
                self.add(case.subject, case.side, values)
            now = self._clock()
            if number >= LEAST_ROUNDS and now + (now - began) > end:
                return


def run_program(
    argv: Sequence[str | Path],
    *,
    name: str = "",
    good: Sequence[int] = (0,),
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> tuple[float, str]:
    """Run a program; return its wall time in seconds, and its standard output.

    Raises a `UserError` with what it printed if its exit code is not in `good`; the error shows
    `name` in place of a long command.
    """
    thing = name or " ".join(map(str, argv[:LONGEST]))
    pipe = subprocess.PIPE
    start = time.perf_counter()
    with subprocess.Popen(
        [*map(str, argv)], cwd=cwd, env=env, stdout=pipe, stderr=pipe, text=True
    ) as child:
        try:
            output, errors = child.communicate(timeout=LONGEST_RUN)
        except subprocess.TimeoutExpired:
            found = f"it did not end within {LONGEST_RUN:.0f} s"
            raise UserError(thing, found, "Run it by hand to see why") from None
        finally:
            end(child)
    seconds = time.perf_counter() - start
    if child.returncode not in good:
        # In one line, because `make bench` shows the last one.
        printed = " ".join((output + errors).split())[-PRINTED:]
        found = f"exit code {child.returncode}: {printed}"
        raise UserError(thing, found, "Run it by hand to see why")
    return seconds, output


def end(child: subprocess.Popen[str]) -> None:
    """End a program that still runs; a check removes its containers meanwhile."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            child.kill()
