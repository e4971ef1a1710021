"""What holds for every format."""

from __future__ import annotations

import gc
import json
import tracemalloc
import unicodedata
from collections.abc import Sequence
from xml.etree import ElementTree as ET

import pytest
from unit.cohort import classes

from workshop.cohort.exports import FORMATS

CLASSES = {
    "empty": list,
    "one": lambda: [classes.row()],
    "ungradable": lambda: [classes.ungradable(), classes.row(document={})],
    "several tasks": lambda: classes.large(5, ("task-1", "task-5")),
    "a missing task": lambda: [classes.row("a"), classes.row("b", task="task-1")],
    "hostile": classes.hostile,
}
PARSERS = {".json": json.loads, ".xml": ET.fromstring}


@pytest.fixture(params=CLASSES.values(), ids=CLASSES)
def rows(request):
    return request.param()


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_rows_give_the_same_bytes_in_the_folder(name, rows, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    written = FORMATS[name](rows, first)
    FORMATS[name](rows, second)
    assert {path for path in first.rglob("*") if path.is_file()} == set(written)
    for path in written:
        assert path.read_bytes() == (second / path.relative_to(first)).read_bytes()


@pytest.mark.parametrize("name", FORMATS)
def test_every_file_can_be_read_and_has_no_unsafe_character(name, rows, tmp_path):
    for path in FORMATS[name](rows, tmp_path):
        text = path.read_bytes().decode("utf-8", "strict")
        PARSERS.get(path.suffix, str)(text)
        unsafe = {mark for mark in text if unicodedata.category(mark) in {"Cc", "Cf", "Co", "Zl"}}
        assert unsafe <= {"\n"}
        assert "\ufffe" not in text


@pytest.mark.parametrize("name", FORMATS)
def test_a_learner_who_is_gone_leaves_no_file(name, tmp_path):
    FORMATS[name]([classes.row("anna"), classes.row("zoe")], tmp_path)
    written = FORMATS[name]([classes.row("anna")], tmp_path)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(written)
    assert not any("zoe" in path.read_text() for path in written)


@pytest.mark.parametrize("name", FORMATS)
def test_no_text_of_a_learner_makes_a_file_large(name, tmp_path):
    rows = classes.hostile()
    for path in FORMATS[name](rows, tmp_path):
        assert path.stat().st_size < 100_000 * len(rows)


class Stored(Sequence):
    """A class of many learners whose rows are made when they are read, as the store does it."""

    def __init__(self, learners: int) -> None:
        self.learners = learners

    def __len__(self) -> int:
        return self.learners

    def __getitem__(self, index):
        if not 0 <= index < self.learners:
            raise IndexError(index)
        log = "a line of a log\n" * 500 + str(index)
        return classes.row(f"s{index:04}", classes.check(1), classes.check(2, "failed", actual=log))


def memory_of(write, rows, folder) -> int:
    """Return the most bytes that an export takes at once."""
    gc.collect()
    tracemalloc.start()
    try:
        write(rows, folder)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_the_memory_grows_by_little_with_each_learner(name, tmp_path):
    """A row has 8 kB here, and an export must not keep them."""
    write = FORMATS[name]
    write(Stored(1), tmp_path)
    # The least of several: other threads allocate memory too.
    small, large = (
        min(memory_of(write, Stored(learners), tmp_path) for _ in range(3))
        for learners in (20, 120)
    )
    assert large - small < 100 * 1_500
