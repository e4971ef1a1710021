"""Requirements that the text of a Dockerfile must meet."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from workshop.analysis.dockerfile.parser import split_reference
from workshop.model import Check, Failed, check

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workshop.analysis.dockerfile.effective import Effective
    from workshop.analysis.dockerfile.instructions import Instruction
    from workshop.analysis.source import Source

# The tag of an image of Python with a version: `3` is a different version every year.
VERSION = r"^\d+\.\d+"


def files_exist(*files: str) -> Check:
    """Require that the files of the answer exist and are text."""

    @check(
        points=1,
        title=f"{' and '.join(files)} {'exist' if len(files) > 1 else 'exists'}",
        why="The grader reads files by name, and Linux file names are case-sensitive.",
        hint="Save the file under exactly this name, as plain text.",
    )
    def files_exist(source: Source) -> None:
        for file in files:
            source.read(file)

    return files_exist


def base_image(repository: str, *, tag: str = "", variant: str = "", points: int = 1) -> Check:
    """Require an official base image for the final stage; its tag must match the pattern `tag`."""

    @check(
        points=points,
        title=f"The base image is the official {repository} image{variant and ', '}{variant}",
        why="The base image determines the installed software, the size and the security updates.",
        hint=f"Begin the last stage with FROM {repository}:TAG, and write the tag out"
        f"{', with a version of two numbers: 3.13' if VERSION in tag else ''}.",
    )
    def base_image(source: Source) -> None:
        final = _built_stage(source)
        found = final.base
        name, version = split_reference(found)
        line = final.chain[0].line
        expected = f"FROM {repository}:TAG{variant and ', '}{variant}"
        # An empty variable leaves a tag that ends like this; no image has such a tag.
        incomplete = version.endswith(("-", "."))
        if name != repository or incomplete or not re.search(tag, version):
            raise Failed(f"the last stage is based on {found or 'nothing'}", expected, line=line)

    return base_image


def _built_stage(source: Source) -> Effective:
    """Return the target stage; without it, which other checks report, the last stage."""
    target = source.recipe.target
    if source.dockerfile().find(target):
        return source.final()
    return source.final(source.recipe._replace(target=""))


def copies(file: str, *, why: str, hint: str) -> Check:
    """Require that some stage copies or mounts this file of the learner's folder."""

    @check(
        points=1,
        name=f"copies-{file.replace('.', '-')}",
        title=f"The build copies {file}",
        why=why,
        hint=hint,
    )
    def copies_file(source: Source) -> None:
        if source.ignores(file, source.recipe.context):
            actual = f".dockerignore excludes {file}"
            raise Failed(actual, f"a .dockerignore without {file}", file=".dockerignore")
        steps = [step for stage in source.dockerfile().stages for step in stage.instructions]
        paths = [path.removeprefix("./").rstrip("/") for step in steps for path in _sources(step)]
        # A path with a build variable is accepted: only the build knows its value.
        if not any(path in {"", "."} or "$" in path or fnmatch(file, path) for path in paths):
            raise Failed(f"no instruction copies {file}", f"COPY {file}")

    return copies_file


def _sources(step: Instruction) -> Iterable[str]:
    """Yield the paths that an instruction takes from the build context, as written."""
    if step.keyword in {"COPY", "ADD"} and step.flag("from") is None:
        yield from (path for path in step.values[:-1] if not path.startswith("<<"))
    for mount in step.mounts:
        if mount.get("type", "bind") == "bind" and "from" not in mount:
            yield mount.get("source") or mount.get("src") or "."
