"""What Dockerfiles install."""

from __future__ import annotations

from workshop.classroom import recipes
from workshop.core.paths import ROOT


def read(tmp_path, text: str) -> list[recipes.Recipe]:
    (tmp_path / "Dockerfile").write_text(text)
    return recipes.read_all(tmp_path)


def test_the_commands_of_all_stages_on_one_base_are_read_with_their_variables(tmp_path):
    (recipe,) = read(
        tmp_path,
        "ARG V=3.13\nFROM python:$V-slim AS base\nARG POETRY_VERSION=2.5.1\n"
        "RUN --mount=type=cache,target=/c pip install --no-cache-dir poetry==${POETRY_VERSION}\n"
        "FROM base\nRUN apt-get update && apt-get install -y cowsay \\\n && rm -rf /var/lib/apt\n",
    )
    assert recipe.base == "python:3.13-slim"
    assert recipe.python == ("poetry==2.5.1",)
    assert recipe.apt == ("apt-get install -y cowsay",)


def test_each_base_has_its_own_commands(tmp_path):
    found = read(tmp_path, "FROM a:1 AS a\nRUN apt install x\nFROM b:1\nRUN apt-get -y install y\n")
    assert [(r.base, r.apt) for r in found] == [
        ("a:1", ("apt install x",)),
        ("b:1", ("apt-get -y install y",)),
    ]


def test_packages_that_a_file_lists_come_from_that_file(tmp_path):
    (recipe,) = read(tmp_path, "FROM a:1\nRUN pip install -r r.txt\nRUN pip3 install -c c.txt x\n")
    assert recipe.python == ()


def test_every_service_of_the_course_is_read():
    found = recipes.read_all(ROOT / "services")
    assert {r.folder.name for r in found} >= {"baby-steps", "degrees_api", "fastapi", "todo-app"}
    assert any("chromium" in command for r in found for command in r.apt)
    assert not any("$" in word for r in found for word in (*r.apt, *r.python))


def test_the_tag_of_an_official_image_names_its_python():
    assert recipes.python_of("python:3.13-slim-trixie") == (3, 13)
    assert recipes.python_of("ubuntu:24.04") is None
