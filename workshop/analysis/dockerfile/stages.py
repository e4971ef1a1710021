"""The stages of a Dockerfile, and which of them need which others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis.dockerfile.instructions import Instruction, Problem
from workshop.analysis.dockerfile.mounts import split_options
from workshop.analysis.dockerfile.references import check_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_INDEX = re.compile(r"[+-]?[0-9]{1,18}")


class Stage(NamedTuple):
    """A build stage: `number` counts from 0; `line` is that of its FROM.

    `name` is in lower case, or empty. `parent` is the number of the stage it is built on, None if
    `base` is an image. `triggers` are the parent's ONBUILD instructions, which run first.
    `instructions` exclude FROM.
    """

    number: int
    name: str
    base: str
    platform: str
    line: int
    instructions: tuple[Instruction, ...] = ()
    parent: int | None = None
    triggers: tuple[Instruction, ...] = ()


class StageGraph:
    """The stages that each stage needs; `numbers` are the numbers of stages by name.

    `problems` are references to stages that do not exist, and circular ones.
    """

    def __init__(self, stages: Sequence[Stage], numbers: Mapping[str, int]) -> None:
        self.problems: list[Problem] = []
        self._numbers, self._count = numbers, len(stages)
        self._sources: list[dict[int, int]] = [self._find(stage) for stage in stages]
        if circular := self._circular():
            line = self._sources[circular[0]][circular[1]]
            self.problems.append(Problem(line, "the stages need each other in a circle"))

    def needed(self, number: int) -> list[int]:
        """Return the numbers of the stages that a build of stage `number` needs, with itself."""
        found, waiting = {number}, [number]
        while waiting:
            new = self._sources[waiting.pop()].keys() - found
            found |= new
            waiting += new
        return sorted(found)

    def _find(self, stage: Stage) -> dict[int, int]:
        """Return the number of each stage that `stage` needs, and the line of a reference."""
        found = {} if stage.parent is None else {stage.parent: stage.line}
        for instruction in (*stage.triggers, *stage.instructions):
            for reference, is_index in _references(instruction):
                number = self._number(reference, instruction.line, is_index=is_index)
                if number is not None:
                    found[number] = instruction.line
        return found

    def _number(self, reference: str, line: int, *, is_index: bool) -> int | None:
        if is_index and _INDEX.fullmatch(reference):
            if 0 <= int(reference) < self._count:
                return int(reference)
            self.problems.append(Problem(line, f"there is no stage {reference}"))
        elif reference.lower() in self._numbers:
            return self._numbers[reference.lower()]
        elif reference != "scratch":
            try:
                check_reference(reference)
            except ValueError as error:
                self.problems.append(Problem(line, str(error)))
        return None

    def _circular(self) -> tuple[int, int] | None:
        """Return a stage and one that it needs, which needs the first one."""
        done: set[int] = set()
        for number in range(self._count):
            path, waiting = [number], [iter(self._sources[number])]
            while waiting:
                following = next(waiting[-1], None)
                if following is None:
                    waiting.pop()
                    done.add(path.pop())
                elif following in path:
                    return path[-1], following
                elif following not in done:
                    path.append(following)
                    waiting.append(iter(self._sources[following]))
        return None


def _references(instruction: Instruction) -> Iterator[tuple[str, bool]]:
    """Yield what an instruction copies or mounts from; only COPY can give a stage's index."""
    for name, value in instruction.flags:
        if name == "from" and instruction.keyword == "COPY" and value:
            yield value, True
        elif name == "mount" and instruction.keyword == "RUN":
            try:
                options = dict(split_options(value))
            except ValueError:
                continue
            if source := options.get("from"):
                yield source, False
