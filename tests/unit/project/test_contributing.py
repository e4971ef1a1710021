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

    def append(self, file: str, text: str) -> None:
        with (self.folder / file).open("a", encoding="utf-8") as stream:
            stream.write(text)

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

    def require(self, task: str) -> None:
        """Name each check of a task in one more requirement."""
        code = (
            "import json; from workshop.tasks import course; "
            f"print(json.dumps(['{task}:' + check.id for check in course.task('{task}').checks]))"
        )
        checks = run(sys.executable, "-c", code, cwd=self.folder).stdout
        file = "workshop/site/requirements.toml"
        row = '[[requirement]]\ndocument = "part-3"\npart = "Hello"\ntext = "It works"\n'
        self.append(file, f"\n{row}checks = {checks}")

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
    checkout.replace(
        "Taskfile.yaml", "[baby-steps, basic-python,", "[baby-steps, hello, basic-python,"
    )
    assert checkout.failures() == ""


CHECK = '''
@check(
    points=1,
    blame=("CMD",),
    why="Docker runs CMD if no other command is given.",
    hint="End the Dockerfile with CMD.",
)
def has_command(image: Image) -> None:
    """The image has a command."""
    if not image.cmd:
        raise Failed("no CMD", "a CMD")


TASK = Task('''
BROKEN = """
[[broken]]
check = "has-command"
file = "Dockerfile"
old = 'CMD ["cowsay", "somenergia.coop"]'
new = ""
"""


def test_a_check_is_added_in_five_steps(checkout: Checkout):
    module = "workshop/tasks/baby_steps.py"
    checkout.replace(module, "TASK = Task(", CHECK.lstrip("\n"))
    builds = "        config.builds,\n"
    checkout.replace(module, builds, f"{builds}        has_command,\n")
    forgotten = checkout.failures()
    assert "test_every_check_has_a_broken_example[baby-steps]" in forgotten
    assert "docs/lessons/part-3/baby-steps.md, line" in forgotten
    assert "test_a_task_has_the_points_of_the_table[baby-steps]" in forgotten
    checkout.append("tests/rubric/broken/baby-steps.toml", BROKEN)
    checkout.replace(
        "workshop/site/requirements.toml",
        'checks = ["baby-steps:builds"',
        'checks = ["baby-steps:has-command", "baby-steps:builds"',
    )
    checkout.increase(
        "docs/instructors/grading.md", r"^\| `baby-steps` \| (\d+) \| \d+ \| (\d+) \| \d+ \|$"
    )
    for page in ("baby-steps", "inside"):
        checkout.increase(
            f"docs/lessons/part-3/{page}.md", r"(\d+) of (\d+) points: everything passed"
        )
    checkout.reference()
    assert checkout.failures() == ""


LESSON = """# Say hello

**You will be able to** print a greeting.

**It takes** about 5 minutes.

## Print it

```console
$ echo hello
hello
```
"""


def add_lesson(checkout: Checkout) -> None:
    """Add a page with its place in the menu, its minutes, and the line that leads to it."""
    checkout.write("docs/lessons/part-3/hello.md", LESSON)
    checkout.replace(
        "mkdocs.yml",
        "      - Your first container: lessons/part-3/baby-steps.md\n",
        "      - Your first container: lessons/part-3/baby-steps.md\n"
        "      - Say hello: lessons/part-3/hello.md\n",
    )
    checkout.replace(
        "docs/instructors/index.md",
        "| [Your first container]",
        "| [Say hello](../lessons/part-3/hello.md) | 5 | 10 | |\n| [Your first container]",
    )
    checkout.append("docs/lessons/part-3/baby-steps.md", "\nThen: [Say hello](hello.md).\n")


def test_a_lesson_is_added_in_five_steps(checkout: Checkout):
    checkout.write("docs/lessons/part-3/hello.md", LESSON)
    forgotten = checkout.failures()
    assert "test_every_lesson_and_every_task_is_in_a_table" in forgotten
    assert "hello.md" in forgotten
    add_lesson(checkout)
    checkout.reference()
    assert checkout.failures() == ""


def test_a_task_is_added_in_five_steps(checkout: Checkout):
    text = (checkout.folder / "workshop/tasks/basic_python.py").read_text(encoding="utf-8")
    checkout.write(
        "workshop/tasks/hello.py",
        text.replace('"basic-python"', '"hello"').replace('part-3/basic-python"', 'part-3/hello"'),
    )
    checkout.replace(
        "workshop/tasks/hello.py", "services/part-3/hello", "services/part-3/basic-python"
    )
    checkout.replace(
        "workshop/tasks/course.py",
        '    "greeter": ',
        '    "hello": "services/part-3/basic-python/Dockerfile",\n    "greeter": ',
    )
    forgotten = checkout.failures()
    for name in (
        "test_every_check_has_a_broken_example[hello]",
        "test_there_are_valid_answers_in_several_styles[hello]",
        "test_every_check_links_to_an_existing_lesson[hello]",
        "test_every_lesson_and_every_task_is_in_a_table",
    ):
        assert name in forgotten
    rubric = checkout.folder / "tests/rubric"
    shutil.copy(rubric / "broken/basic-python.toml", rubric / "broken/hello.toml")
    shutil.copytree(rubric / "right/basic-python", rubric / "right/hello")
    add_lesson(checkout)
    page = (checkout.folder / "docs/instructors/grading.md").read_text(encoding="utf-8")
    (row,) = re.findall(r"^\| `basic-python` .*\n", page, re.MULTILINE)
    checkout.replace("docs/instructors/grading.md", row, row + row.replace("basic-python", "hello"))
    checkout.require("hello")
    # The mutants have the texts of those of basic-python, so none is graded again.
    for task in ("^basic-python", "|basic-python"):
        review = "tests/rubric/mutants.toml"
        checkout.replace(review, task, task.replace("basic-python", "(basic-python|hello)"))
    run(sys.executable, "-m", "rubric.mutation", cwd=checkout.folder, env={"PYTHONPATH": "tests"})
    checkout.reference()
    assert checkout.failures() == ""
