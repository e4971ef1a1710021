"""The progress display shows steps on a terminal, and prints one line for each job."""

from __future__ import annotations

import re

import pytest
from fakes import display

from workshop.core.progress import Job

DONE = r"  image:1 +\d+\.\d s{}\n"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("#12 [builder 3/7] RUN pip install x", ["builder 3/7 RUN pip install x"]),
        ("#5 [2/4] COPY a b", ["2/4 COPY a b"]),
        ("#12 0.512 Collecting x", []),
        ("#1 [internal] load build definition from Dockerfile", []),
        ("#12 CACHED", []),
        ("", []),
    ],
)
def test_a_line_that_starts_a_step_is_shown(line, shown):
    actual = []
    Job("image:1", actual.append).step(line)
    assert actual == shown


def test_another_programs_line_is_shown():
    actual = []
    Job("image:1", actual.append).line("  Unpacking x \n")
    assert actual == ["Unpacking x"]


def test_without_a_terminal_a_job_is_one_plain_line():
    shown, output = display()
    with shown, shown.job("image:1", "building") as job:
        job.step("#5 [2/4] COPY a b")
    assert re.fullmatch(DONE.format(""), output.getvalue())


def test_a_note_is_printed_at_the_end_of_the_line():
    shown, output = display()
    with shown, shown.job("image:1", "building") as job:
        job.note("stand-in [x]")
    assert re.fullmatch(DONE.format(r"  stand-in \[x\]"), output.getvalue())


def test_a_failed_job_prints_no_line():
    shown, output = display()
    with shown, pytest.raises(ValueError, match="no"), shown.job("image:1", "building"):
        raise ValueError("no")
    assert output.getvalue() == ""


def test_a_terminal_shows_the_current_step():
    shown, output = display(terminal=True)
    with shown, shown.job("image:1", "building") as job:
        job.step("#5 [2/4] RUN ls [a-z]*")
        shown._live.refresh()
        assert "2/4 RUN ls [a-z]*" in output.getvalue()


def test_a_step_is_not_parsed_as_markup():
    shown, output = display(terminal=True)
    with shown, shown.job("image:1", "building") as job:
        job.step(r"#5 [2/4] RUN sed 's \[/a] b '")
        shown._live.refresh()
        assert r"RUN sed 's \[/a] b '" in output.getvalue()


def test_a_long_line_is_not_wrapped():
    shown, output = display(width=20)
    shown.print("words " * 10)
    assert output.getvalue().count("\n") == 1
