"""A Dockerfile and its ignore file while they are rewritten."""

from __future__ import annotations

import contextlib
import difflib
import re
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis.dockerfile import effective, instructions, parser
from workshop.core.errors import UserError
from workshop.model import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from workshop.analysis.dockerfile.effective import Effective
    from workshop.analysis.dockerfile.parser import Dockerfile, Instruction
    from workshop.analysis.source import Source

IGNORE = ".dockerignore"

_RUN = re.compile(r"\s*RUN\s+", re.IGNORECASE)
# A command that changes the shell for those after it.
_CHANGES_SHELL = re.compile(r"(?:^|[&|;({]\s*|\n\s*)(?:cd|export|set|umask|\.|source)\b")


class Draft(NamedTuple):
    """The text of a Dockerfile and of its ignore file, by their paths in a learner's folder.

    The image is that of the stage `target`, or of the last one. `entries` are the names at the top
    of the build context.
    """

    path: str
    text: str
    ignore_path: str = ".dockerignore"
    ignore: str = ""
    target: str = ""
    entries: tuple[str, ...] = ()

    @property
    def dockerfile(self) -> Dockerfile:
        """The parsed Dockerfile."""
        return parser.parse(self.text)

    @property
    def final(self) -> Effective | None:
        """The stage of the image with all its parents; None if there is none."""
        return effective.effective(self.dockerfile, self.target)

    @property
    def steps(self) -> tuple[Instruction, ...]:
        """The instructions of the image, without those of other stages and of ONBUILD."""
        chain = self.final.chain if self.final else ()
        return tuple(step for stage in chain for step in stage.instructions)

    @property
    def runs(self) -> Iterator[Instruction]:
        """The RUNs of the image with a shell command and without a heredoc."""
        return (step for step in self.steps if is_plain_run(step))

    @property
    def files(self) -> Mapping[str, str]:
        """The files by their paths; an ignore file without any text is left out."""
        ignored = {self.ignore_path: self.ignore} if self.ignore else {}
        return {self.path: self.text, **ignored}

    def raw(self, step: Instruction) -> str:
        """Return the lines of an instruction as written, without the last line's end."""
        return "\n".join(self.text.split("\n")[step.line - 1 : step.end])

    def from_end(self, line: int) -> int:
        """Return the last line of the FROM at a line: it may be continued."""
        found = instructions.read(self.text).instructions
        return next(step.end for step in found if step.line == line)

    def replace(self, changes: Mapping[Instruction, str | None]) -> Draft:
        """Return the draft with the lines of some instructions replaced; None removes them."""
        lines: list[str | None] = list(self.text.split("\n"))
        for step, text in changes.items():
            lines[step.line - 1 : step.end] = [text, *[None] * (step.end - step.line)]
        return self._replace(text="\n".join(line for line in lines if line is not None))

    def insert(self, after: int, text: str) -> Draft:
        """Return the draft with lines inserted after the line of this number."""
        lines = self.text.split("\n")
        return self._replace(text="\n".join([*lines[:after], text, *lines[after:]]))

    def merge(self, runs: Sequence[Instruction], last: str = "") -> Draft:
        """Return the draft with RUNs joined into the first, followed by the command `last`."""
        escape = self.dockerfile.escape
        bodies = [self._body(run, is_alone=len(runs) == 1) for run in runs]
        if last:
            bodies.append(last)
        flags = "".join(f"--{name}={value} " for name, value in runs[0].flags)
        joined = f" {escape}\n    && ".join(bodies)
        return self.replace({runs[0]: f"RUN {flags}{joined}", **dict.fromkeys(runs[1:])})

    def diff(self, before: Draft) -> str:
        """Return the changes of both files since `before` as a unified diff."""
        return "".join(
            line
            for path in sorted({*before.files, *self.files})
            for line in _compare(path, before.files.get(path, ""), self.files.get(path, ""))
        )

    def write(self, folder: Path) -> None:
        """Write both files into a folder that holds them."""
        for path, text in self.files.items():
            # Bytes, so that the ends of lines stay as they are.
            (folder / path).write_bytes(text.encode("utf-8", "surrogateescape"))

    def _body(self, run: Instruction, *, is_alone: bool) -> str:
        """Return the command of a RUN as written; in a subshell if it would affect the others."""
        body = _RUN.sub("", self.raw(run), count=1)
        for _ in run.flags:
            body = re.sub(r"\A(?:\s|\\\n)*--\S+(?:\s|\\\n)+", "", body, count=1)
        body = body.strip()
        return f"({body})" if _CHANGES_SHELL.search(body) and not is_alone else body


def read_draft(found: Source) -> Draft:
    """Return the Dockerfile and the ignore file of an answer.

    Raises `UserError` for a task without a Dockerfile, and `Failed` if it cannot be read.
    """
    task = found.task
    path = found.path(task.recipes[0]) if task.recipes else ""
    if path not in task.answer:
        fix = "Choose a task whose answer is a Dockerfile"
        raise UserError(f"task {task.name}", "its answer has no Dockerfile", fix)
    recipe = task.recipes[0]
    ignore_path, ignore = f"{recipe.context}/{IGNORE}".removeprefix("./"), ""
    for name in (f"{path}.dockerignore", ignore_path):
        if (found.folder / name).is_file():
            with contextlib.suppress(Failed):
                ignore_path, ignore = name, found.read(name)
            break
    entries = tuple(sorted(path.name for path in (found.folder / recipe.context).iterdir()))
    return Draft(path, found.read(path), ignore_path, ignore, recipe.target, entries)


def is_plain_run(step: Instruction) -> bool:
    """Whether an instruction is a RUN with a shell command and without a heredoc."""
    return step.keyword == "RUN" and step.exec_form is None and not step.heredocs


def _compare(path: str, old: str, new: str) -> Iterator[str]:
    lines, new_lines = (text.splitlines(keepends=True) for text in (old, new))
    for line in difflib.unified_diff(
        lines, new_lines, f"a/{path}" if old else "/dev/null", f"b/{path}"
    ):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
