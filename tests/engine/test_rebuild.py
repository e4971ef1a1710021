"""What a second build does again: measured by what BuildKit takes from its cache."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from harness import docker

from workshop.catalogue import IMAGES

if TYPE_CHECKING:
    from pathlib import Path

# A step that installs what the project depends on, and so should outlive an edit of its source.
INSTALLS = re.compile(r"apt-get|pip3? install|poetry install")
STEP = re.compile(r"^#(\d+) \[[^]]*\d+/\d+] (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Files:
    """The files of a service whose edit should mean much, or little."""

    source: str
    lock: str


FILES = {
    "basic-python": Files("", "requirements.txt"),
    "greeter": Files("src/greeter/cli.py", "poetry.lock"),
    "degrees-api": Files("degrees_api.py", "requirements.txt"),
    "todo-app": Files("todo_app/views.py", "poetry.lock"),
    "deathstar": Files("deathstar/api.py", "poetry.lock"),
    "task-1": Files("app/main.py", "constraints.txt"),
    "task-2": Files("app/main.py", "constraints.txt"),
    "task-3-1": Files("app/main.py", "poetry.lock"),
    "task-3-2": Files("app/main.py", "poetry.lock"),
    "task-5": Files("app/main.py", "poetry.lock"),
}
CASES = [image for image in IMAGES if image.word in FILES]


def ids(image) -> str:
    return image.name


def installs_run(output: str) -> list[str]:
    """The install steps of a build that were not taken from the cache."""
    cached = set(re.findall(r"^#(\d+) CACHED", output, re.MULTILINE))
    steps = dict(STEP.findall(output))
    assert steps, output
    return [what for step, what in steps.items() if step not in cached and INSTALLS.search(what)]


def touch(file: Path) -> None:
    """Add a comment that no build has seen."""
    file.write_text(file.read_text() + f"# {secrets.token_hex(8)}\n")


def build(checkout: Path, image) -> str:
    build = image.build(checkout)
    # Tagged by no name of the kit's, so that the kit's own image stays as it is.
    words = [word.replace(image.name, "workshop-test-rebuild") for word in build.argv()]
    return docker(*words, env={"BUILDKIT_PROGRESS": "plain"})


@pytest.mark.parametrize("image", [i for i in CASES if FILES[i.word].source], ids=ids)
def test_an_edited_source_line_reinstalls_nothing(built, checkout, image):
    built(image.name)
    touch(checkout / image.folder / FILES[image.word].source)
    assert installs_run(build(checkout, image)) == []


@pytest.mark.parametrize("image", CASES, ids=ids)
def test_a_changed_lock_file_reinstalls(built, checkout, image):
    built(image.name)
    touch(checkout / image.folder / FILES[image.word].lock)
    assert installs_run(build(checkout, image)) != []


def test_the_lock_file_decides_and_not_its_date(built, checkout):
    """The cache goes by content: the copied checkout builds from the kit's own cache."""
    image = next(image for image in IMAGES if image.word == "greeter")
    built(image.name)
    assert installs_run(build(checkout, image)) == []
