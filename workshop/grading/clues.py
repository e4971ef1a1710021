"""What a submission shows about a failure that the failing program does not print.

Each clue is a sentence that the table of causes has a pattern for. BuildKit prints some of them
too, as warnings of its build checks, and only in newer versions.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from workshop.analysis import starter
from workshop.analysis.dockerfile.instructions import read
from workshop.core.paths import walk
from workshop.grading.causes import Line
from workshop.model import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.analysis.dockerfile.parser import Instruction
    from workshop.analysis.source import Source

# Most files of a folder that are listed, or looked at.
MAX_LISTED = 6
MAX_FILES = 2_000
_NOT_FOUND = re.compile(r'"/([^"\n]+)": not found')
_NO_MODULE = re.compile(r"No module named '(\w+)")
_VARIABLE = re.compile(r"\$\{?(\w+)")
_WORD = re.compile(r"\s(\w+)")
_ASSIGNED = re.compile(r"(?:^|[\s;&])(\w+)=")


def find_clues(source: Source, output: str, line: int | None) -> list[str]:
    """Return what the learner's folder shows about a failure at `line` of the Dockerfile."""
    if source.task.compose:
        return [*_own_module(source, output)]
    try:
        step = _instruction_at(source, line)
        return [
            *_own_module(source, output),
            *(_copied_file(source, output) if not step or step.flag("from") is None else ()),
            *(_undefined_variable(source, step) if step else ()),
        ]
    except Failed:
        return []


def instructions(source: Source) -> list[Line]:
    """Return the lines of the file that a failure is looked for in.

    Those of a Dockerfile are its instructions, with the lines of a heredoc below; a CMD or
    ENTRYPOINT that a later one replaces is left out.
    """
    try:
        if source.task.compose:
            text = source.read(source.task.compose)
            return [Line(number, line) for number, line in enumerate(text.splitlines(), 1)]
        steps = read(source.read(source.path(source.recipe))).instructions
        final = source.final()
    except Failed:
        return []
    used = {command.line for command in (final.cmd, final.entrypoint) if command}
    return [
        Line(step.line, _text(step))
        for step in steps
        if step.keyword not in {"CMD", "ENTRYPOINT"} or step.line in used
    ]


def _text(step: Instruction) -> str:
    flags = "".join(f"--{name}={value} " for name, value in step.flags)
    return "\n".join([f"{step.keyword} {flags}{step.text}", *(doc.body for doc in step.heredocs)])


def _instruction_at(source: Source, line: int | None) -> Instruction | None:
    stages = source.dockerfile().stages if line else ()
    steps = (step for stage in stages for step in stage.instructions)
    return next((step for step in steps if step.line <= (line or 0) <= step.end), None)


def _undefined_variable(source: Source, step: Instruction) -> Iterator[str]:
    """Yield BuildKit's warning for a variable that only an ARG above FROM sets."""
    parsed = source.dockerfile()
    stage = next(stage for stage in parsed.stages if step in stage.instructions)
    chain = [stage]
    while chain[-1].parent is not None:
        chain.append(parsed.stages[chain[-1].parent])
    # Sets: a search for each of many variables would take minutes.
    known = {
        name
        for member in chain
        for other in member.instructions
        if other.keyword in {"ARG", "ENV"} and (member is not stage or other.line < step.line)
        for name in _WORD.findall(f" {other.expanded}")
    }
    known.update(_ASSIGNED.findall(step.text))
    for name in dict.fromkeys(_VARIABLE.findall(step.text)):
        if name in parsed.arguments and name not in known:
            yield f"UndefinedVar: Usage of undefined variable '${name}' in {step.keyword}"


def _copied_file(source: Source, output: str) -> Iterator[str]:
    """Yield why the build context lacks a file, or what it holds instead."""
    found = _NOT_FOUND.findall(output)
    if not found:
        return
    path, context = PurePosixPath(found[-1]), PurePosixPath(source.recipe.context)
    if (source.folder / context / path).exists() and source.ignores(str(path), str(context)):
        yield f'CopyIgnoredFile: Attempting to Copy file "{path}" that is excluded by .dockerignore'
        return
    if names := _names(source, str(context / path.parent)):
        import difflib  # noqa: PLC0415 - only needed for a missing file

        near = difflib.get_close_matches(path.name, names, 1)
        shown = ", ".join([*near, *(name for name in names if name not in near)][:MAX_LISTED])
        more = ", ..." if len(names) > MAX_LISTED else ""
        yield f'"/{path}": not found; the build context holds {shown}{more}'


def _own_module(source: Source, output: str) -> Iterator[str]:
    """Yield a sentence for a module that Python did not find, and the learner's folder has."""
    names = _NO_MODULE.findall(output)
    if names and any(
        PurePosixPath(path).stem == names[-1] or names[-1] in PurePosixPath(path).parts[:-1]
        for path in _files(source)
        if path.endswith(".py")
    ):
        yield f"the submission has a module named {names[-1]}"


def _names(source: Source, folder: str) -> list[str]:
    """Return the names of the files and folders in a folder of the submission."""
    depth = len(PurePosixPath(folder).parts)
    inside = (PurePosixPath(path) for path in _files(source))
    found = {path.parts[depth] for path in inside if path.is_relative_to(folder)}
    return sorted(name for name in found if not name.startswith(".") and name != "Dockerfile")


def _files(source: Source) -> list[str]:
    """Return the files of the submission and of the starter, relative to the folder."""
    own = [path for path, _ in zip(walk(source.folder), range(MAX_FILES), strict=False)]
    return [*own, *starter.files(source.task)]
