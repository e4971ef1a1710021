"""Writes the marks of a class as files: for instructors, learners, dashboards and gradebooks.

Each module is one format, with `write(rows, folder)`, which returns the files that it wrote. The
same rows give the same bytes. May import the cohort's types, the table of causes and the core.
"""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from workshop.cohort.exports import (
    canvas,
    classroom50,
    csv_marks,
    feedback,
    gradescope,
    html_report,
    json_marks,
    junit,
    moodle,
    prairielearn,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from workshop.cohort.row import Row

FORMATS: Mapping[str, Callable[[Sequence[Row], Path], list[Path]]] = MappingProxyType(
    {
        "csv": csv_marks.write,
        "json": json_marks.write,
        "junit": junit.write,
        "html": html_report.write,
        "feedback": feedback.write,
        "classroom50": classroom50.write,
        "gradescope": gradescope.write,
        "prairielearn": prairielearn.write,
        "moodle": moodle.write,
        "canvas": canvas.write,
    }
)


def write_all(
    rows: Sequence[Row], folder: Path, limits: Mapping[str, bool] = MappingProxyType({})
) -> list[Path]:
    """Write every format; return the files.

    `limits` says of each limit of builds and runs, by its name, whether the engine enforced it;
    empty if that is unknown. The report shows them.
    """
    report = partial(html_report.write, limits=limits)
    writers = [report if name == "html" else write for name, write in FORMATS.items()]
    return [path for write in writers for path in write(rows, folder)]
