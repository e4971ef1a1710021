"""What a Dockerfile has to say, whatever comes of it."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from workshop.model import Check, Failed, check

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workshop.analysis.dockerfile.instructions import Instruction
    from workshop.analysis.source import Source

_CONSTRAINED = {"-c", "--constraint"}
_POETRY_SCRIPT = "install.python-poetry.org"


def writes(*files: str, lesson: str) -> Check:
    """The files that the learner is to write are there."""

    @check(
        points=1,
        lesson=lesson,
        name="files-are-there",
        title=f"{' and '.join(files)} can be read",
        why="A task is graded from the files that it names, and Linux tells A from a in names.",
        hint="Save the file under exactly this name, as plain text.",
    )
    def files_are_there(source: Source) -> None:
        for file in files:
            source.read(file)

    return files_are_there


def based_on(
    repository: str, lesson: str, *, tag: str = "", kind: str = "", points: int = 1
) -> Check:
    """The final image builds on an official image; its tag fits the pattern `tag`."""

    @check(
        points=points,
        lesson=lesson,
        name="base-image",
        title=f"The image builds on the official {repository} image{kind and ', '}{kind}",
        why="A base image decides what is there already, how large it is, and who keeps it safe.",
        hint=f"Begin the last stage with FROM {repository}:TAG, with the tag written out.",
    )
    def base_image(source: Source) -> None:
        final = source.final()
        found = final.base
        name, _, version = found.partition("@")[0].removeprefix("docker.io/").partition(":")
        line = final.chain[0].line
        expected = f"FROM {repository}:TAG{kind and ', '}{kind}"
        # A variable that is empty leaves such a tag, which no image has.
        unfinished = version.endswith(("-", "."))
        if name.removeprefix("library/") != repository or unfinished or not re.search(tag, version):
            raise Failed(f"the last stage builds on {found or 'nothing'}", expected, line=line)

    return base_image


def pins_poetry(lesson: str, points: int = 1) -> Check:
    """Nobody installs Poetry without saying in which version."""

    @check(
        points=points,
        lesson=lesson,
        why="Poetry 2 dropped options that Poetry 1 had: without a version, builds break one day.",
        hint="pip install poetry==2.5.1 (or another version; an ARG can hold the number).",
    )
    def pins_poetry(source: Source) -> None:
        """Where Poetry is installed, its version is written down."""
        steps = [step for stage in source.dockerfile().stages for step in stage.instructions]
        versioned = any("POETRY_VERSION" in step.text for step in steps)
        for step in steps:
            text = _script(step) if step.keyword == "RUN" else ""
            if command := _installs_any_poetry(text):
                raise Failed(command, "a version, as in poetry==2.5.1", line=step.line)
            if _POETRY_SCRIPT in text and "--version" not in text and not versioned:
                actual = f"{_POETRY_SCRIPT} without a version"
                raise Failed(actual, "a version in the variable POETRY_VERSION", line=step.line)

    return pins_poetry


def comes_from(file: str, lesson: str, *, why: str, hint: str) -> Check:
    """The build can see a file of the learner's folder: in any stage, copied or mounted."""

    @check(
        points=1,
        lesson=lesson,
        name=f"brings-{file.replace('.', '-')}",
        title=f"{file} gets into the build",
        why=why,
        hint=hint,
    )
    def brings(source: Source) -> None:
        expected = f"COPY {file}"
        if source.ignores(file, source.recipe.context):
            raise Failed(f"{file} is ignored", "a .dockerignore without it", file=".dockerignore")
        steps = [step for stage in source.dockerfile().stages for step in stage.instructions]
        # What only the build itself can tell, a variable of it, is taken for the best.
        paths = [path.removeprefix("./").rstrip("/") for step in steps for path in _taken(step)]
        if not any(path in {"", "."} or "$" in path or fnmatch(file, path) for path in paths):
            raise Failed(f"no instruction brings {file} into the build", expected)

    return brings


def _taken(step: Instruction) -> Iterable[str]:
    """The paths that an instruction takes from the folder, as they are written."""
    if step.keyword in {"COPY", "ADD"} and step.flag("from") is None:
        yield from (path for path in step.values[:-1] if not path.startswith("<<"))
    for name, value in step.flags:
        mount = dict(part.partition("=")[::2] for part in value.split(","))
        if name == "mount" and mount.get("type", "bind") == "bind" and "from" not in mount:
            yield mount.get("source") or mount.get("src") or "."


def _script(step: Instruction) -> str:
    """All that a RUN executes, without a shell's comments."""
    text = " ".join(step.exec_form) if step.exec_form else step.text
    lines = "\n".join([text, *(heredoc.body for heredoc in step.heredocs)]).splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def _installs_any_poetry(script: str) -> str:
    """The first command that lets pip, pipx or uv install whichever Poetry is newest, or empty."""
    for command in re.split(r"&&|\|\||[|;\n]", script):
        words = [word.strip("'\"") for word in command.split()]
        tools, _, rest = " ".join(words).partition(" install ")
        free = any(re.fullmatch(r"poetry(\[.*\])?", word) for word in rest.split())
        if free and re.search(r"\b(pip[\d.]*|pipx|uv)\b", tools) and not _CONSTRAINED & {*words}:
            return command.strip()
    return ""
