"""Every exhibit of the museum still fails as its page shows, and its fix works."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from harness import ROOT, docker, run

from workshop import lessons, versions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MUSEUM = ROOT / "museum"
NAMES = sorted(file.parent.name for file in MUSEUM.glob("*/exhibit.toml"))
PAGES = sorted((ROOT / "docs/museum").glob("*.md"))
MIN_EXHIBITS = 10
BASES = {base.image for base in versions.read(ROOT / "versions.toml").base}
# The prefix that BuildKit puts before each line of output: the step's number and the time.
_STEP = re.compile(r"^#\d+ (?:[\d.]+ )?")


@dataclass(frozen=True)
class Side:
    """The broken or fixed side of an exhibit: its commands and their expected result."""

    folder: Path
    script: str
    codes: tuple[int, ...]
    output: tuple[str, ...]


def sides(name: str) -> tuple[Side, Side]:
    """Read the broken and the fixed side from exhibit.toml and the files next to it.

    If the fault is in the commands, both sides use the exhibit's own folder.
    """
    home = MUSEUM / name
    broken = tomllib.loads((home / "exhibit.toml").read_text(encoding="utf-8"))
    fixed = {"exit": 0, "run": broken["run"], **broken.pop("fixed", {})}
    return _side(home, "broken", "error.txt", broken), _side(home, "fixed", "fixed.txt", fixed)


def _side(home: Path, part: str, output_name: str, settings: dict) -> Side:
    folder, output = home / part, home / output_name
    lines = output.read_text(encoding="utf-8").splitlines() if output.is_file() else []
    # `exit` is a list where container engines return different codes.
    codes = settings["exit"] if isinstance(settings["exit"], list) else [settings["exit"]]
    return Side(folder if folder.is_dir() else home, settings["run"], tuple(codes), tuple(lines))


def contains(output: str, lines: tuple[str, ...]) -> bool:
    """Whether the lines occur anywhere in the output, one directly below the other."""
    found = [_STEP.sub("", line) for line in output.splitlines()]
    return lessons.agrees(("...", *lines, "..."), found)


@pytest.fixture
def clean_engine(name: str) -> Iterator[None]:
    """Remove the container, image and volume of the exhibit, before and after the test."""
    _remove(name)
    yield
    _remove(name)


def _remove(name: str) -> None:
    docker("rm", "--force", "--volumes", f"museum-{name}", check=False)
    docker("image", "rm", "--force", f"museum-{name}", check=False)
    docker("volume", "rm", "--force", f"museum-{name}", check=False)


def run_commands(side: Side) -> str:
    """Run the commands of a side, check the exit code, and return the output."""
    done = run("sh", "-ec", side.script, cwd=side.folder, check=False)
    assert done.returncode in side.codes, done.stdout
    return done.stdout


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("engine", "clean_engine")
def test_broken_side_fails_as_shown_and_fixed_side_works(name):
    broken, fixed = sides(name)
    output = run_commands(broken)
    assert contains(output, broken.output), output
    _remove(name)
    output = run_commands(fixed)
    assert not contains(output, broken.output), output
    assert contains(output, fixed.output), output


def test_museum_has_enough_exhibits():
    assert len(NAMES) >= MIN_EXHIBITS


@pytest.mark.parametrize("name", NAMES)
def test_exhibit_shows_an_error_and_names_its_objects_after_itself(name):
    broken, fixed = sides(name)
    assert any(line.strip() != "..." for line in broken.output)
    assert (broken.codes, broken.output) != (fixed.codes, fixed.output)
    for side in (broken, fixed):
        created = re.findall(r"--(?:tag|name|volume) ([^\s:]+)", side.script)
        assert set(created) <= {f"museum-{name}"}


@pytest.mark.parametrize("name", NAMES)
def test_exhibit_is_on_one_page_and_the_index_links_to_it(name):
    (page,) = (p for p in PAGES if f'"museum/{name}/error.txt"' in p.read_text(encoding="utf-8"))
    text = page.read_text(encoding="utf-8")
    assert f"{{ #{name} }}" in text
    assert f'"museum/{name}/exhibit.toml"' in text
    index = (ROOT / "docs/museum/index.md").read_text(encoding="utf-8")
    assert f"({page.name}#{name})" in index


@pytest.mark.parametrize("name", NAMES)
def test_exhibit_uses_only_pinned_base_images(name):
    texts = [file.read_text(encoding="utf-8") for file in (MUSEUM / name).rglob("Dockerfile")]
    assert set(re.findall(r"^FROM (\S+)", "\n".join(texts), re.MULTILINE)) <= BASES


@pytest.mark.parametrize(
    ("output", "lines", "expected"),
    [
        ("a\nb\nc", ("b",), True),
        ("#7 1.234 error: b\n#7 ERROR: c", ("error: b", "ERROR: ..."), True),
        ("a b c", ("b",), False),
        ("a\nx\nb", ("a", "b"), False),
        ("a\nx\nb", ("a", "...", "b"), True),
    ],
)
def test_contains_finds_consecutive_lines_in_the_output(output, lines, expected):
    assert contains(output, lines) is expected
