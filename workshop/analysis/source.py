"""A learner's folder, read safely: nothing in it is followed, run or trusted."""

from __future__ import annotations

import contextlib
import functools
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis import starter
from workshop.analysis.dockerfile import effective, parser
from workshop.core.errors import UserError
from workshop.model import Failed

if TYPE_CHECKING:
    from workshop.analysis.compose import Compose
    from workshop.analysis.dockerfile.effective import Effective
    from workshop.analysis.dockerfile.parser import Dockerfile
    from workshop.model import Recipe, Task

MOST_TEXT = 1_000_000


class Source(NamedTuple):
    """What a learner has written for one task, in `folder`, as one recipe of the task sees it.

    `of` is that recipe's name; without one, it is the task's first.
    """

    task: Task
    folder: Path
    of: str = ""

    @property
    def recipe(self) -> Recipe:
        """How the image in question is built."""
        return self.task.recipe(self.of)

    def read(self, file: str) -> str:
        """The text of one of the files; `Failed` where it is missing, or no text.

        What the starter has and the learner lacks is read from the starter.
        """
        path = self.folder / file
        try:
            known = path.lstat()
        except OSError:
            if kits := starter.find(self.task, file):
                return kits.read_text(encoding="utf-8")
            raise self._missing(file) from None
        if stat.S_ISDIR(known.st_mode):
            raise Failed(f"{file} is a folder", f"a text file called {file}", file=file)
        if not stat.S_ISREG(known.st_mode):
            kind = "a link" if stat.S_ISLNK(known.st_mode) else "no ordinary file"
            raise Failed(f"{file} is {kind}", f"an ordinary text file called {file}", file=file)
        if known.st_size > MOST_TEXT:
            actual = f"{file} has {known.st_size / 1e6:.1f} MB"
            raise Failed(actual, f"at most {MOST_TEXT / 1e6:.0f} MB of text", file=file)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UserError(
                file, error.strerror or "cannot be read", "Mend it, and check again"
            ) from None
        if b"\0" in content:
            raise Failed(f"{file} holds bytes that are no text", "plain text", file=file)
        if not content.strip():
            raise Failed(f"{file} is empty", "the instructions of this task", file=file)
        return content.decode("utf-8", errors="replace")

    def dockerfile(self, recipe: Recipe | None = None) -> Dockerfile:
        """The parsed Dockerfile of a recipe: its own unless told."""
        chosen = recipe or self.recipe
        return _parse(self.read(self.path(chosen)))

    def final(self, recipe: Recipe | None = None) -> Effective:
        """What the last stage, or the recipe's target, amounts to; `Failed` where there is none."""
        chosen = recipe or self.recipe
        parsed = self.dockerfile(chosen)
        found = effective.effective(parsed, chosen.target)
        if found is None and chosen.target:
            named = ", ".join(stage.name for stage in parsed.stages if stage.name) or "none"
            raise Failed(f"stages with a name: {named}", f"a stage called {chosen.target}")
        if found is None:
            raise Failed("no FROM instruction", "a FROM that names the image to build on", line=1)
        return found

    def check_stage_names(self, recipe: Recipe) -> None:
        """Raise `Failed` where something is copied from a stage that is not there."""
        parsed = self.dockerfile(recipe)
        for step in (step for stage in parsed.stages for step in stage.instructions):
            name = step.flag("from")
            # With a colon or a slash, it is the name of an image.
            if name and not set(name) & set(":/$") and not parsed.find(name):
                named = ", ".join(stage.name for stage in parsed.stages if stage.name) or "none"
                actual = f"{step.keyword} --from={name}, and the stages with a name are: {named}"
                raise Failed(actual, "the name of a stage above", line=step.line)

    @staticmethod
    def path(recipe: Recipe) -> str:
        """Where a recipe's Dockerfile is, relative to the folder."""
        return (Path(recipe.context) / recipe.dockerfile).as_posix()

    def blamed_file(self, of: str) -> str:
        """The file that a line without a file's name is in: the Dockerfile, or compose file."""
        return self.task.compose or self.path(self.task.recipe(of))

    def compose(self) -> Compose:
        """The parsed compose file of the task."""
        from workshop.analysis import compose  # noqa: PLC0415 - most tasks have none

        return compose.read(self.read(self.task.compose), {})

    def ignores(self, path: str, context: str = ".") -> bool:
        """Whether the ignore file keeps `path` out of the build, as Docker reads its lines."""
        text = self._ignore_file(context)
        ignored = False
        for line in text.splitlines():
            rule = line.strip()
            if rule and not rule.startswith("#"):
                expected = not rule.startswith("!")
                if _ignore_rule(rule.removeprefix("!").strip("/ ")).match(path):
                    ignored = expected
        return ignored

    def _ignore_file(self, context: str) -> str:
        """The ignore file's text: one named after the Dockerfile goes before the general one."""
        names = [".dockerignore"]
        if self.task.recipes:
            names.insert(0, f"{self.recipe.dockerfile}.dockerignore")
        for name in names:
            with contextlib.suppress(Failed):
                return self.read((Path(context) / name).as_posix())
        return ""

    def _missing(self, file: str) -> Failed:
        parent, name = (self.folder / file).parent, Path(file).name
        try:
            others = sorted(other.name for other in parent.iterdir())
        except OSError:
            others = []
        near = [other for other in others if other.lower() == name.lower()]
        actual = (
            f"a file called {near[0]}, which is another name on Linux" if near else "no such file"
        )
        expected = f"a file called {file}"
        hint = f"Rename {near[0]} to {name}." if near else f"Write {file} in {self.folder}."
        return Failed(actual, expected, file=file, hint=hint)


def find(task: Task, folder: Path) -> Source:
    """A learner's folder; `UserError` where it is none."""
    real = folder.resolve()
    if not real.is_dir():
        found = "it is a file" if real.exists() else "there is no such folder"
        raise UserError(str(folder), found, f"Make it with: workshop start {task.name}")
    return Source(task, real)


@functools.lru_cache(maxsize=8)
def _parse(text: str) -> Dockerfile:
    return parser.parse(text)


@functools.lru_cache(maxsize=256)
def _ignore_rule(rule: str) -> re.Pattern[str]:
    """A line of an ignore file as a pattern for a path and all below it.

    Source: Docker's reference, ".dockerignore files": Go's filepath.Match, and `**` for any
    number of folders.
    """
    pattern, rest = "", rule.removeprefix("./")
    while rest:
        if rest.startswith("**/"):
            pattern, rest = pattern + "(?:.*/)?", rest[3:]
        elif rest.startswith("**"):
            pattern, rest = pattern + ".*", rest[2:]
        elif rest[0] == "*":
            pattern, rest = pattern + "[^/]*", rest[1:]
        elif rest[0] == "?":
            pattern, rest = pattern + "[^/]", rest[1:]
        elif (end := rest.find("]", 2)) > 0 and rest[0] == "[":
            pattern, rest = pattern + rest[: end + 1], rest[end + 1 :]
        else:
            pattern, rest = pattern + re.escape(rest[0]), rest[1:]
    try:
        return re.compile(rf"(?:{pattern})(?:/.*)?\Z")
    except re.error:
        return re.compile(re.escape(rule) + r"\Z")
