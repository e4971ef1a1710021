"""Where a Dockerfile installs and runs Poetry, and in which version."""

from __future__ import annotations

import itertools
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from workshop.model import Failed, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.analysis.dockerfile.instructions import Instruction
    from workshop.analysis.source import Source

_SCRIPTS = re.compile(r"install\.python-poetry\.org|(?:get|install)-poetry\.py")
_VERSION_IS_SET = re.compile(r"\bPOETRY_VERSION[= ]['\"]?[\d.]+\d")
_VERSION_OPTION = re.compile(r"--version[= ]\s*\S")
_CONSTRAINTS = {"-c", "--constraint"}
_REQUIREMENTS = {"-r", "--requirement"}
_PIP = re.compile(r"pip[\d.]*|pipx|uv|uvx")
_SYSTEM = {"apt", "apt-get", "apk", "dnf", "yum", "conda", "mamba", "micromamba"}
# PEP 508: a name with extras, and then a version, an address, or nothing.
_REQUIREMENT = re.compile(r"(?:python3-)?poetry(?:\[[^]]*\])?(?P<version>[^\w-].*)?", re.IGNORECASE)
# One version and no other: `==2.5.1`, `=1.8.3` (conda, apt), `@2.5.1` (uvx), `==$POETRY_VERSION`.
_EXACT = re.compile(r"\s*(?:={1,3}|@)\s*(?:v?\d[^*,\s]*|\$\{?\w+(?::?[-+][^}]*)?\}?)(?:\s*;.*)?")
_REPOSITORY = re.compile(r"(?:poetry\s*@\s*)?git\+\S+/poetry(?:\.git)?(?P<ref>@[^@/\s]+)?\S*")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_TAGGED = re.compile(r"poetry[^:]*:(?!latest$).+|.*@sha256:.+")


class _Command(NamedTuple):
    """One shell command, and the line of its instruction."""

    text: str
    line: int

    @property
    def words(self) -> list[str]:
        """The words without quotes."""
        return [word.strip("'\",[]") or word for word in self.text.split()]


@check(
    points=1,
    why="Poetry 2 removed options of Poetry 1: an unpinned version can break the build.",
    hint="Run pip install poetry==2.5.1 (or another version; an ARG can hold the number).",
)
def pins_poetry(source: Source) -> None:
    """Poetry is installed in a pinned version."""
    steps = [step for stage in source.dockerfile().stages for step in stage.instructions]
    commands = [command for step in steps for command in _commands(step)]
    expected = "one version, as in poetry==2.5.1"
    installed = any(_is_poetry_image(step) for step in steps)
    for command in commands:
        for pinned in _installs(command, source):
            if not pinned:
                raise Failed(command.text, expected, line=command.line)
            installed = True
    for step in steps:
        if found := _SCRIPTS.search(_script(step)):
            if not _script_is_pinned(step, steps):
                expected = "a version in the variable POETRY_VERSION"
                raise Failed(f"{found[0]} without a version", expected, line=step.line)
            installed = True
    used = next((command for command in commands if _runs_poetry(command)), None)
    if used and not installed:
        actual = f"{used.text[:80]}, but no instruction installs Poetry in a known version"
        raise Failed(actual, expected, line=used.line)


def _commands(step: Instruction) -> Iterator[_Command]:
    """Yield the shell commands of an instruction, without comments."""
    if step.keyword in {"RUN", "CMD", "ENTRYPOINT"}:
        for command in re.split(r"&&|\|\||[|;\n()]", _script(step)):
            if command.strip():
                yield _Command(command.strip(), step.line)


def _script(step: Instruction) -> str:
    """Return all commands of an instruction, without shell comments."""
    text = " ".join(step.exec_form) if step.exec_form else step.text
    lines = "\n".join([text, *(heredoc.body for heredoc in step.heredocs)]).splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def _installs(command: _Command, source: Source) -> Iterator[bool]:
    """Yield for each installation of Poetry in a command whether its version is exact."""
    words = command.words
    programs = [PurePosixPath(word).name for word in words]
    pip = any(_PIP.fullmatch(name) for name in programs)
    runs = "uvx" in programs or ("run" in words and ("pipx" in programs or "tool" in words))
    if not runs and not ("install" in words and (pip or _SYSTEM & {*programs})):
        return
    if repository := _REPOSITORY.search(command.text):
        yield bool(repository["ref"])
        return
    constrained = bool(_CONSTRAINTS & {*words})
    # "poetry >= 2" in quotes has spaces, which belong to the requirement.
    joined = re.sub(r"\s*([=<>~!]=?=?)\s*", r"\1", command.text)
    packages = joined if runs else joined.partition("install")[2]
    for word in (word.strip("'\",[]") for word in packages.split()):
        if found := _REQUIREMENT.fullmatch(word):
            yield constrained or bool(_EXACT.fullmatch(found["version"] or ""))
            if runs:
                return  # the words that follow are Poetry's arguments
    for flag, file in itertools.pairwise(words):
        if flag in _REQUIREMENTS:
            yield from _listed(source, file)


def _listed(source: Source, file: str) -> Iterator[bool]:
    """Yield whether Poetry is exact in a list of packages; nothing if it is not in the list."""
    try:
        text = source.read(PurePosixPath(file).name)
    except Failed:
        return
    for line in text.splitlines():
        requirement = line.partition("#")[0].partition(" --hash")[0].strip().rstrip("\\").strip()
        if found := _REQUIREMENT.fullmatch(re.sub(r"\s", "", requirement)):
            yield bool(_EXACT.fullmatch(found["version"] or ""))


def _script_is_pinned(step: Instruction, steps: list[Instruction]) -> bool:
    return bool(_VERSION_OPTION.search(_script(step))) or any(
        _VERSION_IS_SET.search(_script(other)) for other in steps
    )


def _is_poetry_image(step: Instruction) -> bool:
    """Whether an instruction copies from an image of Poetry with a tag."""
    return bool(_TAGGED.fullmatch((step.flag("from") or "").rpartition("/")[2]))


def _runs_poetry(command: _Command) -> bool:
    words = [word for word in command.words if not _ASSIGNMENT.match(word)]
    names = [PurePosixPath(word).name for word in words[:3]]
    return names[:1] == ["poetry"] or names[1:] == ["-m", "poetry"]
