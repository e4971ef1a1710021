"""Every pin is in versions.toml, equals those in the Dockerfiles, and is still supported.

A Dockerfile is parsed only for its pins: ARG and FROM lines, and the images that it copies from.
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
    for file in (*ROOT.glob("services/**/Dockerfile*"), ROOT / ".devcontainer/Dockerfile")
    if file.suffix != ".dockerignore" and ".venv" not in file.parts
)
DOCKERFILE_OF = {
    image.service: ROOT / image.folder / image.dockerfile for image in reversed(IMAGES)
}


@dataclass
class Dockerfile:
    """The pins of a Dockerfile."""

    text: str
    defaults: dict[str, str] = field(default_factory=dict)  # of the arguments before any FROM
    later: list[tuple[str, str]] = field(default_factory=list)  # the arguments of the stages
    external: list[str] = field(default_factory=list)  # external images, not yet expanded

    def __post_init__(self):
        stages = {"scratch"}
        begun = False
        joined = re.sub(r"\\\n(\s*#.*\n)*", " ", self.text)
        for line in joined.splitlines():
            keyword, *rest = line.split() or [""]
            if keyword.upper() == "ARG":
                given = [part.partition("=") for part in rest]
                pairs = [(name, value.strip("\"'")) for name, equals, value in given if equals]
                if begun:
                    self.later += pairs
                else:
                    self.defaults.update(pairs)
            if keyword.upper() == "FROM":
                begun = True
                image, *name = [part for part in rest if not part.startswith("--")]
                self._add_image(image, stages)
                stages.add(name[1] if name else image)
            if keyword.upper() in {"COPY", "ADD", "RUN"}:
                for image in re.findall(r"(?:--|[=,])from=([^\s,]+)", line):
                    self._add_image(image, stages)

    def _add_image(self, image, stages):
        if image not in stages and not image.isdigit():
            self.external.append(image)

    def images(self, arguments=None):
        """Return the external images, expanded with the defaults and `arguments`."""
        known = {**self.defaults, **(arguments or {})}
        return [
            re.sub(r"\$\{?(\w+)\}?", lambda found: known.get(found[1], ""), image)
            for image in self.external
        ]


def faults(text: str) -> list[str]:
    """Return the faults in the pins of a Dockerfile."""
    file = Dockerfile(text)
    found = [f"{image} is not in versions.toml" for image in file.images() if image not in PINNED]
    found += [
        f"{image} has no pin that a build argument sets"
        for image in file.external
        if not re.fullmatch(r"\w+:\$\{\w+\}(-\$\{\w+\})?", image)
    ]
    found += [f"{name} has a second default" for name, _ in file.later if name in ARGUMENTS]
    poetry = [value for name, value in file.later if name == "POETRY_VERSION"]
    found += [f"POETRY_VERSION is {value}" for value in poetry if value != VERSIONS.poetry.version]
    if re.search(r"poetry(\[\w+\])?\s*[=~<>!]=\s*\d", text):
        found.append("the version of Poetry is hard-coded")
    if re.search(r"pip install[^\n]*\bpoetry(?![\w.=-])", text):
        found.append("Poetry has no version")
    if "POETRY_VERSION" in file.defaults:
        found.append("POETRY_VERSION is before FROM, where no stage sees it")
    return found


def unsupported(bases, today: date) -> list[str]:
    return [f"{base.image} left support on {base.ends}" for base in bases if today >= base.ends]


def original_faults(original: Original, text: str) -> list[str]:
    """Return why the build arguments of an original version do not select it."""
    if bool(original.arguments) == bool(original.gone):
        return ["it needs either build arguments or the reason why it is gone"]
    if original.gone:
        return []
    file = Dockerfile(text)
    found = [f"no ARG {name}" for name in original.arguments if name not in file.defaults]
    images = file.images(original.arguments)
    found += [f"they select {image}" for image in images if image != original.image]
    return found if images else ["it has no base image"]


# ---------------------------------------------------------------- the kit's files


def test_no_pin_is_past_its_end_of_life():
    assert unsupported(VERSIONS.base, date.today()) == []  # noqa: DTZ011 - any time zone will do


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_pin_of_a_dockerfile_is_in_versions_toml(file):
    assert faults(file.read_text(encoding="utf-8")) == []


def test_every_dockerfile_of_the_catalogue_is_checked():
    assert set(DOCKERFILE_OF.values()) <= set(DOCKERFILES)


def test_every_base_image_of_services_is_used():
    texts = [file.read_text(encoding="utf-8") for file in DOCKERFILES]
    used = {image for text in texts for image in Dockerfile(text).images()}
    assert used == {b.image for b in VERSIONS.base if b.recipe in {"python", "ubuntu"}}


@pytest.mark.parametrize("original", VERSIONS.original, ids=lambda original: original.service)
def test_build_arguments_select_the_original_version_unless_it_is_gone(original):
    text = DOCKERFILE_OF[original.service].read_text(encoding="utf-8")
    assert original_faults(original, text) == []


# ------------------------------------------------ each fault is found in an example

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


def test_a_pin_is_unsupported_from_the_day_its_support_ends():
    end = date(2027, 4, 30)
    base = Base(image="x:1", ends=end, recipe="python", suite="trixie")
    assert unsupported([base], end - timedelta(days=1)) == []
    assert unsupported([base], end) == ["x:1 left support on 2027-04-30"]
    assert unsupported(VERSIONS.base, date(2100, 1, 1))


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
            "python:3.13-slim-trixie has no pin that a build argument sets",
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
        ("${POETRY_VERSION}", "2.5.1", "the version of Poetry is hard-coded"),
        ("poetry==${POETRY_VERSION}", "poetry", "Poetry has no version"),
        (
            "ARG PYTHON_VERSION",
            "ARG POETRY_VERSION=2.5.1\nARG PYTHON_VERSION",
            "POETRY_VERSION is before FROM, where no stage sees it",
        ),
    ],
)
def test_a_bad_pin_is_found(old, new, fault):
    assert old in PYTHON
    assert fault in faults(PYTHON.replace(old, new))


def original(image: str, *, gone: str = "", **arguments: str) -> Original:
    return Original(service="x", image=image, arguments=arguments, gone=gone)


@pytest.mark.parametrize(
    "good",
    [
        original("python:3.9-slim", PYTHON_VERSION="3.9", PYTHON_VARIANT="slim"),
        original("python:3.9-slim-trixie", PYTHON_VERSION="3.9"),
        original("python:2", gone="no registry has it"),
    ],
)
def test_an_original_that_is_selected_or_gone_has_no_faults(good):
    assert original_faults(good, PYTHON) == []


BOTH = "it needs either build arguments or the reason why it is gone"


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (original("python:3.9-slim"), BOTH),
        (original("python:3.9", PYTHON_VERSION="3.9", gone="it is"), BOTH),
        (original("python:3.9-slim", PYTHON_VERSION="3.9"), "they select python:3.9-slim-trixie"),
        (original("python:3.9-slim", PYTHON="3.9"), "no ARG PYTHON"),
        (
            original("python:3.9", PYTHON_VERSION="3.9", PYTHON_VARIANT=""),
            "they select python:3.9-",
        ),
    ],
)
def test_an_original_that_is_not_selected_is_found(bad, fault):
    assert fault in original_faults(bad, PYTHON)


def test_an_original_must_be_selected_in_every_stage():
    text = PYTHON + "FROM python:3.13-slim-trixie AS late\n"
    good = original("python:3.9-slim", PYTHON_VERSION="3.9", PYTHON_VARIANT="slim")
    assert original_faults(good, text) == ["they select python:3.13-slim-trixie"]
    assert original_faults(good, "ARG PYTHON_VERSION=1\nARG PYTHON_VARIANT=2\nFROM scratch\n") == [
        "it has no base image"
    ]
