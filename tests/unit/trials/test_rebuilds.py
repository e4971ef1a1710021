"""What a rebuild repeats, and the swaps to try."""

from __future__ import annotations

import base64
import json

import pytest

from workshop.model import Recipe
from workshop.reports.rebuilds import format_report
from workshop.trials.draft import Draft
from workshop.trials.rebuilds import (
    Edit,
    Rebuild,
    Report,
    Step,
    Swap,
    candidates,
    find_edits,
    list_steps,
)

TEXT = """FROM a AS base
RUN apt-get update

FROM base
COPY . .
# The packages.
RUN pip install \\
    -r requirements.txt
RUN make
"""
DRAFT = Draft("Dockerfile", TEXT, entries=("app.py", "requirements.txt"))
SOURCE, LOCK = Edit("source", "app.py"), Edit("lock", "requirements.txt")


def step(line: int, seconds: float, **facts) -> Step:
    return Step(
        line, facts.get("end", line), facts.get("text", "RUN x"), cached=False, seconds=seconds
    )


def rebuild(edit: Edit, *steps: Step) -> Rebuild:
    return Rebuild(edit, steps, 9.0)


SLOW = (step(5, 0.1), step(7, 6.5, end=8), step(9, 1.5))


def test_the_slowest_run_moves_above_the_copy_alone_or_with_its_pins():
    first, second, third = candidates(DRAFT, rebuild(SOURCE, *SLOW))
    assert third[:2] == (9, 5)
    moved = "RUN pip install \\\n    -r requirements.txt\nCOPY . .\n# The packages.\nRUN make\n"
    assert first == (7, 5, DRAFT._replace(text=TEXT[: TEXT.index("COPY")] + moved))
    assert second[2].text == TEXT[: TEXT.index("COPY")] + "COPY requirements.txt ./\n" + moved


def test_the_edited_lock_itself_is_not_copied_above():
    lines = [(moved, over) for moved, over, _ in candidates(DRAFT, rebuild(LOCK, *SLOW))]
    assert lines == [(7, 5), (9, 5)]


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (step(5, 4.0),),
        (step(5, 0.1), step(9, 0.3)),
        # The RUN is above the COPY, or in another stage.
        (step(2, 5.0), step(5, 0.1)),
    ],
)
def test_nothing_is_moved_if_no_slow_run_follows_a_copy(steps):
    assert candidates(DRAFT, rebuild(SOURCE, *steps)) == []


def test_a_dockerfile_in_the_image_is_ignored():
    found = candidates(
        DRAFT._replace(ignore="x"), rebuild(Edit("comment", "Dockerfile"), step(5, 0.1))
    )
    assert [(moved, over, new.ignore) for moved, over, new in found] == [(0, 0, "x\nDockerfile\n")]
    assert candidates(DRAFT, rebuild(Edit("comment", "Dockerfile"))) == []


def test_the_edits_are_those_that_the_exercise_has(tmp_path):
    recipe = Recipe(edit="app/main.py", dockerfile="Dockerfile-x")
    draft = Draft("Dockerfile-x", TEXT)
    names = {edit.name: edit.file for edit in find_edits(draft, recipe, tmp_path)}
    assert names == {"nothing": "", "source": "app/main.py", "comment": "Dockerfile-x"}
    for file in ("constraints.txt", "poetry.lock", "b.py", "a.py"):
        (tmp_path / file).touch()
    names = {edit.name: edit.file for edit in find_edits(draft, Recipe(), tmp_path)}
    assert (names["source"], names["lock"]) == ("a.py", "poetry.lock")


def test_an_edit_is_another_line_each_time():
    assert SOURCE.text != SOURCE.text
    assert SOURCE.text.startswith("\n# ")


def test_the_steps_of_a_build_are_instructions_by_line():
    def vertex(name: str, **facts) -> dict:
        return {"digest": name, "name": name, "started": "2026-01-01T00:00:00Z", **facts}

    done = {"completed": "2026-01-01T00:00:02.5Z"}
    messages = [
        {"vertexes": [vertex("[stage-1 1/4] COPY . .", **done)]},
        {"vertexes": [vertex("[stage-1 2/4] COPY . .", **done)]},
        {"vertexes": [vertex("[base 2/2] RUN apt-get update", cached=True, **done)]},
        {"vertexes": [vertex("[stage-1 3/4] RUN pip"), vertex("exporting to image", **done)]},
        {"logs": [{"vertex": "x", "data": base64.b64encode(b"x").decode()}]},
    ]
    steps = list_steps(DRAFT, "\n".join(map(json.dumps, messages)))
    assert [(one.line, one.cached, one.seconds) for one in steps] == [
        (2, True, 2.5),
        (5, False, 2.5),
    ]
    assert steps[0].text == "RUN apt-get update"


def test_the_report_has_a_row_for_each_instruction_and_names_the_lines_to_swap():
    cached = [
        Step(line, end, text, cached=True, seconds=0.0)
        for line, end, text in (
            (2, 2, "RUN apt-get update"),
            (5, 5, "COPY . ."),
            (7, 8, "RUN pip install " + "x" * 90),
        )
    ]
    repeated = [
        cached[0],
        *(
            one._replace(cached=False, seconds=n)
            for one, n in zip(cached[1:], (0.1, 12.34), strict=True)
        ),
    ]
    swap = Swap(SOURCE, 7, 5, 12.3, DRAFT, DRAFT._replace(text="FROM b\n"))
    rebuilds = (
        Rebuild(Edit("nothing"), tuple(cached), 0.4),
        Rebuild(SOURCE, tuple(repeated), 13.2),
    )
    text = format_report(Report(DRAFT, rebuilds, (swap,)))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["line", "instruction", "nothing", "source"]
    assert lines[1].split() == ["2", "RUN", "apt-get", "update", "cached", "cached"]
    assert lines[3].endswith("...    cached   12.3 s")
    assert lines[4].split()[-4:] == ["0.4", "s", "13.2", "s"]
    assert "source: a line was added to app.py; repeats line 5, lines 7-8." in lines
    assert "nothing: nothing was edited; everything is cached." in lines
    flat = " ".join(text.split())
    assert (
        "1. Swap lines 5 and 7: move line 7 above 5. Tried with the edit of the source: "
        "line 7 stays in the cache, which took 12.3 s, and every check" in flat
    )
    assert "+FROM b" in lines
    assert "No swap" in format_report(Report(DRAFT, rebuilds, ()))


def test_an_edit_whose_build_failed_is_a_column_without_steps():
    first = Rebuild(Edit("nothing"), (step(5, 0.1),), 0.4)
    failed = Rebuild(LOCK, (), 0.0, "step RUN failed: no network\nmore")
    text = format_report(Report(DRAFT, (first, failed), ()))
    assert "lock: a line was added to requirements.txt; the build failed: step RUN failed" in text
    assert next(line for line in text.splitlines() if "whole" in line).endswith("0.4 s   failed")
    assert candidates(DRAFT, failed) == []
