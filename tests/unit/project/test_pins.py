"""Every pin stands in versions.toml, is repeated truly in the Dockerfiles, and is still supported.

A Dockerfile is read here as far as pins go: its ARG and FROM lines, and where it copies from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from harness import ROOT

from workshop.stack.images import IMAGES
from workshop.stack.versions import Base, Original, read

VERSIONS = read(ROOT / "versions.toml")
PINNED = {base.image for base in VERSIONS.base}
ARGUMENTS = {"PYTHON_VERSION", "PYTHON_VARIANT", "UBUNTU_VERSION"}
DOCKERFILES = sorted(
    file
    for file in ROOT.glob("services/**/Dockerfile*")
    if file.suffix != ".dockerignore" and ".venv" not in file.parts
)
OF_WORD = {image.service: ROOT / image.folder / image.dockerfile for image in reversed(IMAGES)}


@dataclass
class Dockerfile:
    """What a Dockerfile says about pins."""

    text: str
    defaults: dict[str, str] = field(default_factory=dict)  # of the arguments before any FROM
    later: list[tuple[str, str]] = field(default_factory=list)  # the arguments of its stages
    external: list[str] = field(default_factory=list)  # images from outside, not yet expanded

    def __post_init__(self):
        stages = {"scratch"}
        begun = False
        joined = re.sub(r"\\\n(\s*#.*\n)*", " ", self.text)
        for line in joined.splitlines():
            word, *rest = line.split() or [""]
            if word.upper() == "ARG":
                given = [part.partition("=") for part in rest]
                pairs = [(name, value.strip("\"'")) for name, equals, value in given if equals]
                if begun:
                    self.later += pairs
                else:
                    self.defaults.update(pairs)
            if word.upper() == "FROM":
                begun = True
                image, *name = [part for part in rest if not part.startswith("--")]
                self._note(image, stages)
                stages.add(name[1] if name else image)
            if word.upper() in {"COPY", "ADD", "RUN"}:
                for image in re.findall(r"(?:--|[=,])from=([^\s,]+)", line):
                    self._note(image, stages)

    def _note(self, image, stages):
        if image not in stages and not image.isdigit():
            self.external.append(image)

    def images(self, arguments=None):
        """The images from outside, with the defaults and `arguments` put in."""
        known = {**self.defaults, **(arguments or {})}
        return [
            re.sub(r"\$\{?(\w+)\}?", lambda found: known.get(found[1], ""), image)
            for image in self.external
        ]


def faults(text: str) -> list[str]:
    """What is wrong with the pins of a Dockerfile."""
    file = Dockerfile(text)
    found = [f"{image} is not in versions.toml" for image in file.images() if image not in PINNED]
    found += [
        f"{image} has no pin that a build argument reaches"
        for image in file.external
        if not re.fullmatch(r"\w+:\$\{\w+\}(-\$\{\w+\})?", image)
    ]
    found += [f"{name} has a second default" for name, _ in file.later if name in ARGUMENTS]
    poetry = [value for name, value in file.later if name == "POETRY_VERSION"]
    found += [f"POETRY_VERSION is {value}" for value in poetry if value != VERSIONS.poetry.version]
    if re.search(r"poetry(\[\w+\])?\s*[=~<>!]=\s*\d", text):
        found.append("a version of Poetry is written out")
    if re.search(r"pip install[^\n]*\bpoetry(?![\w.=-])", text):
        found.append("Poetry has no version")
    if "POETRY_VERSION" in file.defaults:
        found.append("POETRY_VERSION stands before FROM, where no stage sees it")
    return found


def past(bases, today: date) -> list[str]:
    return [f"{base.image} left support on {base.ends}" for base in bases if today >= base.ends]


def original_faults(original: Original, text: str) -> list[str]:
    """Why an original version is not reached by its build arguments, or not said to be gone."""
    if bool(original.arguments) == bool(original.gone):
        return ["it names build arguments or says why it is gone, one of the two"]
    if original.gone:
        return []
    file = Dockerfile(text)
    found = [f"no ARG {name}" for name in original.arguments if name not in file.defaults]
    images = file.images(original.arguments)
    found += [f"it gives {image}" for image in images if image != original.image]
    return found if images else ["it is built on no image"]


# ---------------------------------------------------------------- the real ones


def test_no_pin_is_past_its_end_of_life():
    assert past(VERSIONS.base, date.today()) == []  # noqa: DTZ011 - any zone's day will do


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_pin_of_a_dockerfile_is_that_of_versions_toml(file):
    assert faults(file.read_text(encoding="utf-8")) == []


def test_every_dockerfile_of_the_catalogue_is_looked_at():
    assert set(OF_WORD.values()) <= set(DOCKERFILES)


def test_every_base_that_services_may_build_on_is_built_on():
    texts = [file.read_text(encoding="utf-8") for file in DOCKERFILES]
    used = {image for text in texts for image in Dockerfile(text).images()}
    assert used == {b.image for b in VERSIONS.base if b.recipe in {"python", "ubuntu"}}


@pytest.mark.parametrize("original", VERSIONS.original, ids=lambda original: original.service)
def test_build_arguments_reach_the_original_version_or_it_is_gone(original):
    text = OF_WORD[original.service].read_text(encoding="utf-8")
    assert original_faults(original, text) == []


# ------------------------------------------- each check catches what is made up

PYTHON = """\
ARG PYTHON_VERSION=3.13
ARG PYTHON_VARIANT=slim-trixie
FROM python:${PYTHON_VERSION}-${PYTHON_VARIANT} AS base
ARG POETRY_VERSION=2.5.1
RUN pip install poetry==${POETRY_VERSION}
FROM base AS final
COPY --from=base /a /a
"""
PIPED = "FROM python:${PYTHON_VERSION}-${PYTHON_VARIANT} AS base"


def test_a_pin_fails_from_the_day_its_support_ends():
    end = date(2027, 4, 30)
    base = Base(image="x:1", ends=end, recipe="python", suite="trixie")
    assert past([base], end - timedelta(days=1)) == []
    assert past([base], end) == ["x:1 left support on 2027-04-30"]
    assert past(VERSIONS.base, date(2100, 1, 1))


def test_a_good_dockerfile_has_no_faults():
    assert faults(PYTHON) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("=3.13", "=3.12", "python:3.12-slim-trixie is not in versions.toml"),
        ("slim-trixie", "slim", "python:3.13-slim is not in versions.toml"),
        ("ARG PYTHON_VERSION=3.13\n", "", "python:-slim-trixie is not in versions.toml"),
        (PIPED, "FROM python AS base", "python is not in versions.toml"),
        (PIPED, "FROM python:latest AS base", "python:latest is not in versions.toml"),
        (PIPED, "FROM --platform=x python AS base", "python is not in versions.toml"),
        (
            PIPED,
            "FROM python:3.13-slim-trixie AS base",
            "python:3.13-slim-trixie has no pin that a build argument reaches",
        ),
        ("FROM base AS", "FROM debian:12 AS", "debian:12 is not in versions.toml"),
        ("--from=base", "--from=busybox:1", "busybox:1 is not in versions.toml"),
        ("--from=base", "--from=bass", "bass is not in versions.toml"),
        (
            "RUN pip",
            "RUN --mount=type=bind,from=alpine,target=/a \\\n    pip",
            "alpine is not in versions.toml",
        ),
        ("AS base\n", "AS base\nARG PYTHON_VERSION=3.13\n", "PYTHON_VERSION has a second default"),
        ("2.5.1", "2.4.0", "POETRY_VERSION is 2.4.0"),
        ("2.5.1", '"1.8"', "POETRY_VERSION is 1.8"),
        ("${POETRY_VERSION}", "2.5.1", "a version of Poetry is written out"),
        ("poetry==${POETRY_VERSION}", "poetry", "Poetry has no version"),
        (
            "ARG PYTHON_VERSION",
            "ARG POETRY_VERSION=2.5.1\nARG PYTHON_VERSION",
            "POETRY_VERSION stands before FROM, where no stage sees it",
        ),
    ],
)
def test_a_bad_pin_is_caught(old, new, fault):
    assert old in PYTHON
    assert fault in faults(PYTHON.replace(old, new))


def original(image: str, *, gone: str = "", **arguments: str) -> Original:
    return Original(service="x", image=image, arguments=arguments, gone=gone)


@pytest.mark.parametrize(
    "good",
    [
        original("python:3.9-slim", PYTHON_VERSION="3.9", PYTHON_VARIANT="slim"),
        original("python:3.9-slim-trixie", PYTHON_VERSION="3.9"),
        original("python:2", gone="nobody has it"),
    ],
)
def test_an_original_that_is_reached_or_gone_is_right(good):
    assert original_faults(good, PYTHON) == []


BOTH = "it names build arguments or says why it is gone, one of the two"


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (original("python:3.9-slim"), BOTH),
        (original("python:3.9", PYTHON_VERSION="3.9", gone="it is"), BOTH),
        (original("python:3.9-slim", PYTHON_VERSION="3.9"), "it gives python:3.9-slim-trixie"),
        (original("python:3.9-slim", PYTHON="3.9"), "no ARG PYTHON"),
        (original("python:3.9", PYTHON_VERSION="3.9", PYTHON_VARIANT=""), "it gives python:3.9-"),
    ],
)
def test_an_original_that_is_not_reached_is_caught(bad, fault):
    assert fault in original_faults(bad, PYTHON)


def test_an_original_is_reached_in_every_stage_or_not_at_all():
    text = PYTHON + "FROM python:3.13-slim-trixie AS late\n"
    good = original("python:3.9-slim", PYTHON_VERSION="3.9", PYTHON_VARIANT="slim")
    assert original_faults(good, text) == ["it gives python:3.13-slim-trixie"]
    assert original_faults(good, "ARG PYTHON_VERSION=1\nARG PYTHON_VARIANT=2\nFROM scratch\n") == [
        "it is built on no image"
    ]
