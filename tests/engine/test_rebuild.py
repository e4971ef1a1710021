"""What a rebuild repeats, according to BuildKit's cache."""

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

# A step that installs dependencies, and should stay cached after an edit of the source.
INSTALLS = re.compile(r"apt-get|pip3? install|poetry install")
STEP = re.compile(r"#(\d+) \[[^]]*\d+/\d+] (.*)")
# The output and the end of a running step; a cached step prints only CACHED.
OUTPUT = re.compile(r"#(\d+) (?:\d+\.\d+ |DONE|ERROR)")


CASES = [image for image in IMAGES if image.lock]


def ids(image) -> str:
    return image.name


def touch(file: Path) -> None:
    """Add a comment that cannot be cached."""
    file.write_text(file.read_text() + f"# {secrets.token_hex(8)}\n")


def first_install(checkout: Path, image: Image) -> str:
    """Return the first install step of a build that is not cached; empty if all are.

    The build is stopped at this step.
    """
    # A different tag, so that the kit's image does not change.
    build = replace(image.build(checkout), image=f"workshop-test-{secrets.token_hex(4)}")
    installs: dict[str, str] = {}
    with subprocess.Popen(
        ("docker", *build.argv()),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "BUILDKIT_PROGRESS": "plain"},
    ) as process:
        assert process.stdout
        lines = []
        for line in process.stdout:
            lines.append(line)
            if (step := STEP.match(line)) and INSTALLS.search(step[2]):
                installs[step[1]] = step[2]
            elif (output := OUTPUT.match(line)) and output[1] in installs:
                process.terminate()
                return installs[output[1]]
    assert process.returncode == 0, "".join(lines)
    docker("image", "rm", build.image)
    assert installs, "the build has no install step"
    return ""


@pytest.mark.parametrize("image", [i for i in CASES if i.source], ids=ids)
def test_an_edited_source_line_reinstalls_nothing(built, checkout, image):
    built(image.name)
    touch(checkout / image.folder / image.source)
    assert first_install(checkout, image) == ""


@pytest.mark.slow
@pytest.mark.parametrize("image", CASES, ids=ids)
def test_a_changed_lock_file_reinstalls(built, checkout, image):
    built(image.name)
    touch(checkout / image.folder / image.lock)
    assert first_install(checkout, image)


def test_the_date_of_the_lock_file_does_not_matter(built, checkout):
    """The cache key is the content: the copied checkout builds from the kit's cache."""
    image = next(image for image in IMAGES if image.service == "greeter")
    built(image.name)
    assert first_install(checkout, image) == ""
