"""A full check, from an engine that answers to a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop import grade
from workshop.bench import Bench
from workshop.engine import Engine
from workshop.memory import Memory, usual_folder

if TYPE_CHECKING:
    from workshop.facts.source import Source
    from workshop.model import Verdict
    from workshop.process import Children


def examine(source: Source, run: Children) -> Verdict:
    """Build, run and judge; without an engine, what the text alone tells."""
    engine = Engine(run)
    with Bench(engine, source, Memory(usual_folder())) as bench:
        return grade.full(bench)
