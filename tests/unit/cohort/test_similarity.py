"""Copies with changed names and layout are found; separate answers to one task are not."""

from __future__ import annotations

import re

import pytest
from harness import ROOT

from workshop.cohort import similarity
from workshop.tasks import course

RIGHT = ROOT / "tests/rubric/right"


def sketches(task: str) -> dict[str, list[int]]:
    """Return the sketches of the separate answers to a task."""
    names = course.task(task).answer
    files = {
        folder.name: [folder / name for name in names if (folder / name).is_file()]
        for folder in sorted((RIGHT / task).iterdir())
        if folder.is_dir()
    }
    return {
        name: list(similarity.sketch(path.read_text(encoding="utf-8") for path in paths))
        for name, paths in files.items()
    }


@pytest.mark.parametrize("task", course.TASKS)
def test_separate_answers_to_a_task_are_not_similar(task):
    assert similarity.find_pairs(sketches(task), similarity.kit_digests(task)) == []


COPY = {
    "layout": lambda text: re.sub(r"\n", "\n\n", text).replace("    ", "\t"),
    "case": str.upper,
    "one more line": lambda text: f"{text}\nLABEL maintainer=ben\n",
    "one line less": lambda text: re.sub(r"(?m)^EXPOSE.*\n", "", text),
}


@pytest.mark.parametrize("change", COPY.values(), ids=COPY)
def test_a_copy_with_small_changes_is_similar(change):
    text = (RIGHT / "task-5/stages/Dockerfile-nonroot").read_text(encoding="utf-8")
    found = sketches("task-5") | {"copy": list(similarity.sketch([change(text)]))}
    (pair,) = similarity.find_pairs(found, similarity.kit_digests("task-5"))
    assert {pair.one, pair.other} == {"copy", "stages"}
    assert pair.share >= similarity.SIMILARITY


def test_what_the_kit_gives_and_what_many_have_does_not_count():
    own = [list(similarity.sketch([" ".join(f"{n}{i}" for i in range(40))])) for n in "ab"]
    shared = list(similarity.sketch([" ".join(f"all{i}" for i in range(40))]))
    pair = {"a": own[0] + shared, "b": own[1] + shared}
    # In a pair, 36 of 108 are shared: too few. Without the others, all are.
    assert similarity.find_pairs(pair) == []
    assert len(similarity.find_pairs({"a": shared, "b": shared})) == 1
    assert similarity.find_pairs({"a": shared, "b": shared}, set(shared)) == []
    assert similarity.find_pairs({str(number): shared for number in range(40)}) == []


def test_short_answers_are_never_similar():
    short = list(similarity.sketch(["FROM scratch COPY a b CMD a"]))
    assert similarity.find_pairs({"a": short, "b": short}) == []
