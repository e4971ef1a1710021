"""What a second build does again: measured by what BuildKit takes from its cache."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from harness import docker

from workshop.stack.images import IMAGES

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.stack.images import Image

# A step that installs what the project depends on, and so should outlive an edit of its source.
INSTALLS = re.compile(r"apt-get|pip3? install|poetry install")
STEP = re.compile(r"#(\d+) \[[^]]*\d+/\d+] (.*)")
# What a step prints while it runs, and its end; a cached one prints CACHED alone.
OUTPUT = re.compile(r"#(\d+) (?:\d+\.\d+ |DONE|ERROR)")


CASES = [image for image in IMAGES if image.lock]


def ids(image) -> str:
    return image.name


def touch(file: Path) -> None:
    """Add a comment that no build has seen."""
    file.write_text(file.read_text() + f"# {secrets.token_hex(8)}\n")


def first_install(checkout: Path, image: Image) -> str:
    """The first install step that a build runs and does not take from its cache; else empty.

    The build ends there: what the step would install is no matter here.
    """
    # Tagged by no name of the kit's, so that the kit's own image stays as it is.
    build = replace(image.build(checkout), image=f"workshop-test-{secrets.token_hex(4)}")
    installs: dict[str, str] = {}
    with subprocess.Popen(
        ("docker", *build.argv()),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "BUILDKIT_PROGRESS": "plain"},
    ) as child:
        assert child.stdout
        lines = []
        for line in child.stdout:
            lines.append(line)
            if (step := STEP.match(line)) and INSTALLS.search(step[2]):
                installs[step[1]] = step[2]
            elif (output := OUTPUT.match(line)) and output[1] in installs:
                child.terminate()
                return installs[output[1]]
    assert child.returncode == 0, "".join(lines)
    docker("image", "rm", build.image)
    assert installs, "the build has no install step at all"
    return ""


@pytest.mark.parametrize("image", [i for i in CASES if i.source], ids=ids)
def test_an_edited_source_line_reinstalls_nothing(built, checkout, image):
    built(image.name)
    touch(checkout / image.folder / image.source)
    assert first_install(checkout, image) == ""


@pytest.mark.parametrize("image", CASES, ids=ids)
def test_a_changed_lock_file_reinstalls(built, checkout, image):
    built(image.name)
    touch(checkout / image.folder / image.lock)
    assert first_install(checkout, image)


def test_the_lock_file_decides_and_not_its_date(built, checkout):
    """The cache goes by content: the copied checkout builds from the kit's own cache."""
    image = next(image for image in IMAGES if image.service == "greeter")
    built(image.name)
    assert first_install(checkout, image) == ""
