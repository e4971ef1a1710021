"""Writes the marks of a class in the formats that other programs read."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from workshop.cohort.exports import csv_marks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from workshop.cohort.row import Row

    Write = Callable[[Sequence[Row], Path], Path | list[Path]]

# Each writes its files to a folder, and returns them.
FORMATS: Mapping[str, Write] = MappingProxyType({"csv": csv_marks.write})
