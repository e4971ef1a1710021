"""The stored results of the benchmarks, and the catalogue that says what they measure.

`benchmarks/benchmarks.toml` is written by hand: titles, units and limits. The files in
`benchmarks/results/` are written by `make bench`, and only by it.
"""

from __future__ import annotations

import statistics
import tomllib
from datetime import datetime  # noqa: TC003 - pydantic reads it at run time
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workshop.core.errors import UserError
from workshop.core.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FOLDER = ROOT / "benchmarks"
CATALOGUE = FOLDER / "benchmarks.toml"
RESULTS = FOLDER / "results"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Figure(_Model):
    """One quantity that a benchmark measures, for several subjects.

    It has one side, or two that are compared: the ratio is the second side's median divided by the
    first one's. A limit is for the ratio, or for the median of the only side. `at_most` and
    `at_least` are numbers for all subjects, or one for each subject that has a limit.
    """

    name: str
    title: str
    unit: str
    sides: tuple[str, ...] = Field(min_length=1, max_length=2)
    at_most: float | dict[str, float] = Field(default_factory=dict)
    at_least: float | dict[str, float] = Field(default_factory=dict)

    def limits(self, subject: str) -> tuple[float | None, float | None]:
        """Return the lower and the upper limit of a subject, or None for each that it lacks."""
        return _limit(self.at_least, subject), _limit(self.at_most, subject)


class Benchmark(_Model):
    """What one benchmark measures: it is the module `benchmarks/NAME.py`.

    It repeats everything `rounds` times, or less often if that would take more than `minutes`.
    """

    name: str
    title: str
    text: str
    minutes: float = Field(gt=0)
    rounds: int = Field(gt=0)
    figure: tuple[Figure, ...] = Field(min_length=1)

    def find(self, figure: str) -> Figure:
        """Return a figure by its name; raise `KeyError` for an unknown one."""
        found = {one.name: one for one in self.figure}
        return found[figure]


class Row(_Model):
    """The values of one subject, by side, in the order in which they were measured."""

    figure: str
    subject: str
    values: dict[str, list[float]]

    def median(self, side: str) -> float:
        """Return the median of one side."""
        return statistics.median(self.values[side])


class Machine(_Model):
    """The machine, and how busy it was: `load` is the average of a minute, before and after."""

    system: str
    processor: str
    cores: int
    memory: int  # bytes
    python: str
    engine: str
    load: tuple[float, float]


class Result(_Model):
    """What one run of a benchmark measured. `modified` means: with changes after `commit`."""

    schema_: Literal["workshop/benchmark/v1"] = Field("workshop/benchmark/v1", alias="schema")
    benchmark: str
    date: datetime
    commit: str
    modified: bool
    seconds: float
    machine: Machine
    notes: tuple[str, ...] = ()
    rows: tuple[Row, ...] = Field(min_length=1)

    def to_json(self) -> str:
        """Return the text of a result's file."""
        return self.model_dump_json(by_alias=True, indent=1) + "\n"


def catalogue(path: Path = CATALOGUE) -> list[Benchmark]:
    """Return every benchmark, in the order of the page."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))["benchmark"]
    return [Benchmark.model_validate(row) for row in found]


def read(benchmark: Benchmark, folder: Path = RESULTS) -> Result | None:
    """Return the stored result of a benchmark, or None if it has not been measured."""
    path = folder / f"{benchmark.name}.json"
    if not path.exists():
        return None
    try:
        result = Result.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise UserError(str(path), f"{place}: {first['msg']}", remeasure(benchmark)) from None
    check(benchmark, result.rows)
    return result


def check(benchmark: Benchmark, rows: Sequence[Row]) -> None:
    """Raise a `UserError` if rows are not those of the catalogue: figures, sides, values."""
    for row in rows:
        thing = f"benchmark {benchmark.name}, {row.figure} of {row.subject}"
        try:
            sides = benchmark.find(row.figure).sides
        except KeyError:
            fix = "Add the figure to benchmarks/benchmarks.toml, or measure again"
            raise UserError(thing, "the catalogue has no such figure", fix) from None
        if tuple(row.values) != sides or not all(row.values.values()):
            found = f"values for {', '.join(row.values)}, and not for {', '.join(sides)}"
            raise UserError(thing, found, remeasure(benchmark))


def remeasure(benchmark: Benchmark) -> str:
    """Return the advice to run a benchmark again."""
    return f"Measure again: .venv/bin/task bench -- {benchmark.name}"


def _limit(limits: float | dict[str, float], subject: str) -> float | None:
    return limits.get(subject) if isinstance(limits, dict) else limits
