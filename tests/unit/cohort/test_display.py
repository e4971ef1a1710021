"""The display shows each verdict, how many are done, and the time left."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from classroom import document, submission
from rich.cells import cell_len
from rich.console import Console

from workshop.cohort.display import Display, describe_time
from workshop.cohort.run import Job

JOBS = [Job(name, (submission(name),)) for name in ("anna", "ben", "[bold]carl\x1b[2J")]


def display(total: int, *, terminal: bool = False) -> tuple[Display, StringIO, list[float]]:
    """Return a display with its output and its clock."""
    output, time = StringIO(), [0.0]
    console = Console(file=output, width=80, force_terminal=terminal, no_color=True)
    return Display(console, total, lambda: time[0]), output, time


def test_without_a_terminal_each_verdict_is_a_plain_line_with_counts_and_the_time_left():
    shown, output, time = display(3)
    with shown:
        shown.start(JOBS[0])
        shown.start(JOBS[1])
        time[0] = 90
        shown.end(JOBS[1], document(5), 2)
        shown.end(JOBS[0], document(), 1)
    lines = [re.sub(r"\d+\.\d s", "1.0 s", line) for line in output.getvalue().splitlines()]
    assert lines == [
        "  ben baby-steps                   1.0 s  5 of 13 points   [1 of 3, 3 min left]",
        "  anna baby-steps                  1.0 s  13 of 13 points  [2 of 3, 45 s left]",
    ]


LONG = {
    "long": "maximiliane-von-und-zu-hohenstein@students.example.org",
    "wide": "李开复" * 9,
    "short": "ben",
    "widest of the longest ids": "W" * 200,
}


@pytest.mark.parametrize("learner", LONG.values(), ids=LONG)
@pytest.mark.parametrize("task", ["compose-part-3", "task-5"])
@pytest.mark.parametrize("others", [0, 12])
def test_every_line_fits_80_columns_and_shows_the_task(learner, task, others):
    shown, output, time = display(500)
    first = submission(learner, task=task)
    job = Job("key", (first, *(submission(str(number)) for number in range(others))))
    with shown:
        shown.start(job)
        time[0] = 7
        shown.end(job, document(), 499)
        shown.start(job)
        shown.end(job, document(note="the engine stopped answering " * 9), 498)
    lines = output.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert lines[0].startswith(f"  {learner[:2]}")
    assert f" {task[:9]}" in lines[0]
    assert lines[0].endswith("13 of 13 points  [1 of 500, 58 min left]")


def test_an_ungradable_submission_has_the_first_line_of_the_reason():
    shown, output, _ = display(1)
    with shown:
        shown.start(JOBS[0])
        shown.retry(JOBS[0], document(note="engine lost\nmore"))
        shown.start(JOBS[0])
        shown.end(JOBS[0], document(note="too\x1b[2J busy"), 0)
    lines = output.getvalue().splitlines()
    assert lines[0].endswith("will be tried again")
    assert re.search(r"s  ungradable +\[1 of 1\]$", lines[2])
    assert lines[1::2] == ["    engine lost", "    too busy"]


def test_a_terminal_shows_the_step_of_each_running_submission_and_the_counts():
    shown, output, _ = display(3, terminal=True)
    with shown:
        shown.start(JOBS[2])
        shown.line(JOBS[2].submissions[0], "#5 [2/4] COPY a b")
        shown.line(JOBS[0].submissions[0], "#5 [2/4] RUN something else")
        shown._display._live.refresh()
    text = output.getvalue()
    assert "[bold]carl" in text
    assert "2/4 COPY a b" in text
    assert "something else" not in text
    assert "0 of 3" in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (40, "40 s"), (700, "12 min"), (7500, "2 h 5 min")],
)
def test_a_time_is_described_roughly(seconds, text):
    assert describe_time(seconds) == text
