"""The generated pages say what the kit says today."""

from __future__ import annotations

import re
import tomllib

import pytest

from workshop.site import lessons, reference
from workshop.tasks import course

SAID = tomllib.loads(reference.REQUIREMENTS.read_text(encoding="utf-8"))
ROWS = SAID["requirement"]
CHECKS = {f"{name}:{check.id}" for name in course.TASKS for check in course.task(name).checks}
WRITTEN = sorted(reference.pages())


@pytest.mark.parametrize("name", WRITTEN)
def test_a_page_is_what_it_is_made_from(name):
    text = (reference.FOLDER / name).read_text(encoding="utf-8")
    assert text == reference.pages()[name](), "run `make reference`"


def test_the_ledger_counts_blocks_and_gives_the_reasons_of_those_that_are_not_run():
    text = """\
```console
$ ls
a
$ cd
```

```bat
dir
```

```{ .console .not-run title="Not run: it costs money" }
$ pay
```
"""
    page = reference.lessons_page([lessons.read("lessons/x", text)])
    assert "| [lessons/x](../lessons/x.md) | 1 | 1 | 0 | 1 | 1 |" in page
    assert "- lessons/x, line 11: Not run: it costs money" in page


def test_the_chart_of_sizes_has_a_bar_for_each_task_as_long_as_its_image_is_large():
    table = "| 1 | `Dockerfile-1` | `a:b` | 600 | 9 |\n| 3-1 | `Dockerfile-3` | `c:d` | 300 | 4 |\n"
    chart = reference.image_sizes_chart("| 1 | `Dockerfile-1` | `ubuntu:1` | `a:b` |\n" + table)
    assert re.findall(r'width="(\d+)"', chart) == ["440", "220"]
    assert re.findall(r">([^<]+)</text>", chart) == ["task 1", "600 MB", "task 3-1", "300 MB"]


def test_every_word_and_every_pin_has_its_place():
    assert "## workshop serve" in reference.commands_page()
    assert "| `ubuntu:24.04` | 2029-05-31 |" in reference.pins_page()


def test_a_requirement_is_graded_or_says_why_not():
    for row in ROWS:
        assert row["document"] in SAID["documents"]
        assert ("checks" in row) != ("open" in row), row["text"]
        assert row.get("open", "because.").endswith("."), row["text"]


def test_all_five_documents_have_requirements():
    assert {row["document"] for row in ROWS} == {*SAID["documents"]}
    assert len(SAID["documents"]) == 5


def test_every_check_that_is_named_is_there():
    assert not {name for row in ROWS for name in row.get("checks", ())} - CHECKS


def test_every_check_is_asked_for_by_some_requirement():
    assert not CHECKS - {name for row in ROWS for name in row.get("checks", ())}
