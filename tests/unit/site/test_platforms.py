"""The page of platforms shows every recorded row, working or not."""

from __future__ import annotations

import json

import pytest
from platforms import record
from platforms.record import Record

from workshop.site import platforms


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    file = tmp_path / "results.json"
    monkeypatch.setattr(record, "RESULTS", file)
    monkeypatch.setattr(platforms, "RESULTS", file)
    return file


def rows(file) -> list[tuple]:
    return [(row["what"], row["works"], row["found"]) for row in json.loads(file.read_text())]


def test_what_works_and_what_does_not_is_recorded(results):
    here = Record("one", enabled=True)
    with here.row("builds") as row:
        row.found = "in\n3 s"
    with pytest.raises(AssertionError), here.row("runs"):
        raise AssertionError("run: 1\na long log\nno answer")
    assert rows(results) == [("builds", True, "in 3 s"), ("runs", False, "no answer")]


def test_a_row_replaces_the_one_of_an_earlier_run(results):
    for found in ("first", "second"):
        with Record("one", enabled=True).row("builds") as row:
            row.found = found
    assert rows(results) == [("builds", True, "second")]


def test_nothing_is_recorded_unless_it_is_requested(results):
    with Record("one", enabled=False).row("builds"):
        pass
    assert not results.exists()


def test_the_page_has_a_table_for_each_platform():
    with Record("b|c", enabled=True).row("builds") as row:
        row.found = "<5 s"
    with pytest.raises(AssertionError), Record("a", enabled=True).row("runs"):
        raise AssertionError("no answer")
    summary, first, table, second, other = platforms.parts()
    assert summary == "2 rows: 1 work, 1 do not."
    assert (first, second) == ("## a", "## b\\|c")
    assert "| runs | **does not work** | no answer | 2" in table
    assert "| builds | works | &lt;5 s | 2" in other
