"""The table of image sizes is measured from the built images."""

from __future__ import annotations

import json

import pytest
from fakes import NO_IMAGE, docker

from workshop.core.errors import UserError
from workshop.stack import image_sizes
from workshop.stack.images import IMAGES

TASKS = [image for image in IMAGES if image.service.startswith("task-")]
ANSWERS = {
    "inspect {{.Size}}": "123600000\n",
    "inspect small:1": json.dumps(["a"]),
    "inspect large:1": json.dumps(["a", "b"]),
    "inspect other:1": json.dumps(["z"]),
    "inspect absent:1": NO_IMAGE,
    f"inspect {TASKS[0].name}": json.dumps(["a", "c", "d", "e"]),
    "inspect": json.dumps(["a", "b", "c"]),
}
BASES = ["small:1", "large:1", "other:1"]


def test_each_task_has_a_size_and_the_layers_above_its_base():
    engine, _ = docker(ANSWERS)
    head, rule, *rows = image_sizes.measure(engine, BASES).splitlines()
    assert head.count("|") == rule.count("|") == 6
    assert [row.split(" | ")[1] for row in rows] == [f"`{task.dockerfile}`" for task in TASKS]
    assert rows[0] == f"| 1 | `Dockerfile-task-1` | `{TASKS[0].name}` | 124 | 3 |"
    assert {row.rsplit(" | ", 1)[1] for row in rows[1:]} == {"1 |"}


def test_an_image_that_is_not_built_is_an_error():
    engine, _ = docker({f"inspect {TASKS[1].name}": NO_IMAGE, **ANSWERS})
    with pytest.raises(UserError, match=rf"^image {TASKS[1].name}: it is not built\. .*make build"):
        image_sizes.measure(engine, BASES)


def test_a_missing_base_image_is_ignored():
    engine, _ = docker(ANSWERS)
    assert image_sizes.measure(engine, [*BASES, "absent:1"]) == image_sizes.measure(engine, BASES)


@pytest.mark.parametrize("readme", image_sizes.READMES, ids=lambda path: path.parent.name)
def test_each_readme_has_one_table_with_a_row_for_each_task(readme):
    (found,) = image_sizes._MARKED.finditer(readme.read_text(encoding="utf-8"))
    for task in TASKS:
        assert found[0].count(f"`{task.dockerfile}`") == 1
