"""The generated pages are up to date."""

from __future__ import annotations

import re
import tomllib

import pytest

from workshop.site import lessons, reference
from workshop.tasks import course

SOURCE = tomllib.loads(reference.REQUIREMENTS.read_text(encoding="utf-8"))
ROWS = SOURCE["requirement"]
CHECKS = {f"{name}:{check.id}" for name in course.TASKS for check in course.task(name).checks}


@pytest.mark.parametrize("name", sorted(reference.pages()))
def test_a_page_is_up_to_date(name):
    text = reference.path(name).read_text(encoding="utf-8")
    assert text == reference.pages()[name](), "run `make reference`"


def test_the_lessons_page_counts_blocks_and_lists_reasons():
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


def test_the_chart_has_a_bar_for_each_task_in_proportion_to_its_size():
    table = "| 1 | `Dockerfile-1` | `a:b` | 600 | 9 |\n| 3-1 | `Dockerfile-3` | `c:d` | 300 | 4 |\n"
    chart = reference.image_sizes_chart("| 1 | `Dockerfile-1` | `ubuntu:1` | `a:b` |\n" + table)
    longest, half = map(int, re.findall(r'<rect [^>]*width="(\d+)"', chart))
    assert longest == pytest.approx(2 * half, abs=1)
    assert re.findall(r">([^<]+)</text>", chart) == ["task 1", "600 MB", "task 3-1", "300 MB"]


def test_the_pages_list_commands_and_pins():
    assert "## workshop serve" in reference.commands_page()
    assert "| `ubuntu:24.04` | 2029-05-31 |" in reference.pins_page()


def test_a_requirement_has_checks_or_a_reason():
    for row in ROWS:
        assert row["document"] in SOURCE["documents"]
        assert ("checks" in row) != ("open" in row), row["text"]
        assert row.get("open", "because.").endswith("."), row["text"]


def test_all_five_documents_have_requirements():
    assert {row["document"] for row in ROWS} == {*SOURCE["documents"]}
    assert len(SOURCE["documents"]) == 5


def test_every_listed_check_exists():
    assert not {name for row in ROWS for name in row.get("checks", ())} - CHECKS


def test_every_check_belongs_to_a_requirement():
    assert not CHECKS - {name for row in ROWS for name in row.get("checks", ())}
