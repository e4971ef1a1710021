"""Every exhibit of the museum still fails as its page says, and its mend works."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from harness import ROOT, docker, run

from workshop.site import output
from workshop.stack import versions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MUSEUM = ROOT / "museum"
NAMES = sorted(file.parent.name for file in MUSEUM.glob("*/exhibit.toml"))
PAGES = sorted((ROOT / "docs/museum").glob("*.md"))
ENOUGH = 10
BASES = {base.image for base in versions.read(ROOT / "versions.toml").base}
# Before what a step of a build says: its number, and when it said so.
_STEP = re.compile(r"^#\d+ (?:[\d.]+ )?")


@dataclass(frozen=True)
class Side:
    """One side of an exhibit: what is typed in which folder, and what comes of it."""

    folder: Path
    script: str
    codes: tuple[int, ...]
    says: tuple[str, ...]


def sides(name: str) -> tuple[Side, Side]:
    """The broken side and the mended one, as exhibit.toml and the files beside it have them.

    Where the fault is in what is typed, both sides share the exhibit's own folder.
    """
    home = MUSEUM / name
    broken = tomllib.loads((home / "exhibit.toml").read_text(encoding="utf-8"))
    mended = {"exit": 0, "run": broken["run"], **broken.pop("mended", {})}
    return _side(home, "broken", "error.txt", broken), _side(home, "mended", "mended.txt", mended)


def _side(home: Path, part: str, says: str, told: dict) -> Side:
    folder, said = home / part, home / says
    lines = said.read_text(encoding="utf-8").splitlines() if said.is_file() else []
    # A list where engines differ.
    codes = told["exit"] if isinstance(told["exit"], list) else [told["exit"]]
    return Side(folder if folder.is_dir() else home, told["run"], tuple(codes), tuple(lines))


def contains(actual: str, lines: tuple[str, ...]) -> bool:
    """Whether the lines stand somewhere in what was seen, one below the other."""
    found = [_STEP.sub("", line) for line in actual.splitlines()]
    return output.matches(("...", *lines, "..."), found)


@pytest.fixture
def tidied(name: str) -> Iterator[None]:
    """Whatever the exhibit leaves behind bears its name."""
    _tidy(name)
    yield
    _tidy(name)


def _tidy(name: str) -> None:
    docker("rm", "--force", "--volumes", f"museum-{name}", check=False)
    docker("image", "rm", "--force", f"museum-{name}", check=False)
    docker("volume", "rm", "--force", f"museum-{name}", check=False)


def typed(side: Side) -> str:
    """Type what a side says; what was seen, after its exit code was the one told."""
    done = run("sh", "-ec", side.script, cwd=side.folder, check=False)
    assert done.returncode in side.codes, done.stdout
    return done.stdout


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("engine", "tidied")
def test_an_exhibit_fails_as_it_says_and_its_mend_works(name):
    broken, mended = sides(name)
    actual = typed(broken)
    assert contains(actual, broken.says), actual
    _tidy(name)
    actual = typed(mended)
    assert not contains(actual, broken.says), actual
    assert contains(actual, mended.says), actual


def test_the_museum_is_worth_a_visit():
    assert len(NAMES) >= ENOUGH


@pytest.mark.parametrize("name", NAMES)
def test_an_exhibit_says_what_goes_wrong_and_names_what_it_makes_after_itself(name):
    broken, mended = sides(name)
    assert any(line.strip() != "..." for line in broken.says)
    assert (broken.codes, broken.says) != (mended.codes, mended.says)
    for side in (broken, mended):
        made = re.findall(r"--(?:tag|name|volume) ([^\s:]+)", side.script)
        assert set(made) <= {f"museum-{name}"}


@pytest.mark.parametrize("name", NAMES)
def test_an_exhibit_is_shown_on_one_page_and_the_entrance_leads_there(name):
    (page,) = (p for p in PAGES if f'"museum/{name}/error.txt"' in p.read_text(encoding="utf-8"))
    text = page.read_text(encoding="utf-8")
    assert f"{{ #{name} }}" in text
    assert f'"museum/{name}/exhibit.toml"' in text
    entrance = (ROOT / "docs/museum/index.md").read_text(encoding="utf-8")
    assert f"({page.name}#{name})" in entrance


@pytest.mark.parametrize("name", NAMES)
def test_an_exhibit_builds_on_bases_that_are_pinned(name):
    texts = [file.read_text(encoding="utf-8") for file in (MUSEUM / name).rglob("Dockerfile")]
    assert set(re.findall(r"^FROM (\S+)", "\n".join(texts), re.MULTILINE)) <= BASES


@pytest.mark.parametrize(
    ("actual", "lines", "there"),
    [
        ("a\nb\nc", ("b",), True),
        ("#7 1.234 error: b\n#7 ERROR: c", ("error: b", "ERROR: ..."), True),
        ("a b c", ("b",), False),
        ("a\nx\nb", ("a", "b"), False),
        ("a\nx\nb", ("a", "...", "b"), True),
    ],
)
def test_lines_are_found_where_they_stand(actual, lines, there):
    assert contains(actual, lines) is there
