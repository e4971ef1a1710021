"""The steps of CONTRIBUTING.md work in a copy of the checkout, and tests name a forgotten one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from harness import ROOT, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

# The fast tests that know what belongs together; none of them needs an engine.
SUITE = (
    *("tests/unit/project", "tests/unit/stack", "tests/unit/tasks", "tests/unit/site"),
    *("tests/rubric", "tests/engine/test_images.py"),
)
DOCKERFILE = (ROOT / "services/part-3/basic-python/Dockerfile").read_text(encoding="utf-8")


class Checkout:
    """A copy of the checkout, changed as a contributor would change it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignored = shutil.ignore_patterns("node_modules", ".*_cache", "__pycache__", ".venv", ".git")
        shutil.copytree(ROOT, folder, ignore=ignored, symlinks=True)

    def write(self, file: str, text: str) -> None:
        (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / file).write_text(text, encoding="utf-8")

    def replace(self, file: str, old: str, new: str) -> None:
        text = (self.folder / file).read_text(encoding="utf-8")
        assert old in text, f"{file} does not contain {old!r}"
        self.write(file, text.replace(old, new, 1))

    def increase(self, file: str, pattern: str) -> None:
        """Add 1 to every number in the groups of a line that matches."""
        text = (self.folder / file).read_text(encoding="utf-8")
        (match,) = re.finditer(pattern, text, re.MULTILINE)
        line = match[0]
        for group in reversed(range(1, len(match.groups()) + 1)):
            start, end = (place - match.start() for place in match.span(group))
            line = f"{line[:start]}{int(match[group]) + 1}{line[end:]}"
        self.replace(file, match[0], line)

    def reference(self) -> None:
        run(sys.executable, "-m", "workshop.site.reference", cwd=self.folder)

    def failures(self) -> str:
        """The output of the fast tests, empty if all pass."""
        selection = ("-m", "not engine and not slow", "-q", "-p", "no:cacheprovider", "-n", "2")
        argv = (sys.executable, "-m", "pytest", *SUITE, *selection)
        done = subprocess.run(argv, cwd=self.folder, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode else ""


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout")


def test_an_image_is_added_in_three_steps(checkout: Checkout):
    checkout.write("services/hello/Dockerfile", DOCKERFILE)
    checkout.write("services/hello/requirements.txt", "cowsay==6.1\n")
    checkout.write("services/hello/README.md", "# Hello\n")
    assert "services/hello/Dockerfile" in checkout.failures()
    checkout.replace(
        "workshop/stack/images.py",
        "IMAGES = (\n",
        'IMAGES = (\n    Image("hello", "workshop-hello:latest", "services/hello"),\n',
    )
    assert "workshop-hello:latest" in checkout.failures()
    checkout.replace(
        "tests/engine/test_images.py",
        "EXPECTED = {\n",
        'EXPECTED = {\n    "workshop-hello:latest": Expected(says="cow"),\n',
    )
    checkout.replace(
        "Taskfile.yaml",
        "      basic-python: services/part-3/basic-python\n",
        "      basic-python: services/part-3/basic-python\n      hello: services/hello\n",
    )
    checkout.replace(
        "Taskfile.yaml", '      basic-python: ""\n', '      basic-python: ""\n      hello: ""\n'
    )
    checkout.replace("Taskfile.yaml", "[baby-steps, basic-python,", "[baby-steps, hello, basic-python,")
    assert checkout.failures() == ""


CHECK = '''

@check(
    points=1,
    lesson=LESSON,
    why="Tools show the label to people.",
    hint="Write LABEL greeting=hello in the last stage.",
)
def has_greeting_label(image: Image) -> None:
    """The image has a label called greeting."""
    if "greeting" not in image.labels:
        raise Failed("no such label", "a label called greeting")


TASK = Task('''
BROKEN = """
[[broken]]
check = "has-greeting-label"
file = "Dockerfile"
old = "LABEL greeting=hello"
new = ""
"""


def test_a_check_is_added_in_five_steps(checkout: Checkout):
    checkout.replace("workshop/tasks/baby_steps.py", "\nTASK = Task(", CHECK)
    checkout.replace(
        "workshop/tasks/baby_steps.py",
        "        builds(LESSON),\n",
        "        builds(LESSON),\n        has_greeting_label,\n",
    )
    forgotten = checkout.failures()
    assert "test_every_check_has_a_broken_example[baby-steps]" in forgotten
    assert "has-greeting-label" in forgotten
    assert "docs/lessons/part-3/baby-steps.md" in forgotten
    answer = "services/part-3/baby-steps/Dockerfile"
    text = (checkout.folder / answer).read_text(encoding="utf-8")
    checkout.write(answer, f"{text.rstrip()}\nLABEL greeting=hello\n")
    broken = (checkout.folder / "tests/rubric/broken/baby-steps.toml").read_text(encoding="utf-8")
    checkout.write("tests/rubric/broken/baby-steps.toml", broken + BROKEN)
    checkout.replace("workshop/site/requirements.toml", 'checks = ["builds"', REQUIRED)
    checkout.increase(
        "docs/instructors/grading.md", r"^\| `baby-steps` \| (\d+) \| \d+ \| (\d+) \| \d+ \|$"
    )
    for page in ("docs/lessons/part-3/baby-steps.md", "docs/lessons/part-3/inside.md"):
        checkout.increase(page, r"(\d+) of (\d+) points: everything passed")
    checkout.reference()
    assert checkout.failures() == ""


REQUIRED = 'checks = ["has-greeting-label", "builds"'
