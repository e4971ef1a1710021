"""Reads a learner's folder safely: links are not followed, and nothing is executed."""

from __future__ import annotations

import contextlib
import functools
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis import starter
from workshop.analysis.dockerfile import effective, ignore_file, parser
from workshop.core.errors import UserError
from workshop.core.paths import MAX_TEXT, is_local
from workshop.model import Failed

if TYPE_CHECKING:
    from workshop.analysis.compose import Compose
    from workshop.analysis.dockerfile.effective import Effective
    from workshop.analysis.dockerfile.parser import Dockerfile
    from workshop.model import Recipe, Task

MAX_NAMES = 6


class Source(NamedTuple):
    """A submission: the files in `folder`, as used by one recipe of the task.

    `of` is the name of the recipe; empty for the first recipe.
    """

    task: Task
    folder: Path
    of: str = ""

    @property
    def recipe(self) -> Recipe:
        """How the image is built."""
        return self.task.recipe(self.of)

    def read(self, file: str) -> str:
        """Return the text of a file; raise `Failed` if it is missing, or not a text file.

        A file that the learner does not have is read from the starter.
        """
        path = self.folder / file
        try:
            info = path.lstat()
        except OSError:
            if starter_file := starter.find(self.task, file):
                return starter_file.read_text(encoding="utf-8")
            raise self._missing(file) from None
        if stat.S_ISDIR(info.st_mode):
            raise Failed(f"{file} is a folder", f"a text file named {file}", file=file)
        if not stat.S_ISREG(info.st_mode):
            kind = "a link" if stat.S_ISLNK(info.st_mode) else "not a regular file"
            raise Failed(f"{file} is {kind}", f"a regular text file named {file}", file=file)
        if info.st_size > MAX_TEXT:
            actual = f"{file} has {info.st_size / 1e6:.1f} MB"
            raise Failed(actual, f"at most {MAX_TEXT / 1e6:.0f} MB of text", file=file)
        try:
            content = path.read_bytes()
        except OSError as error:
            found = error.strerror or "cannot be read"
            raise UserError(file, found, "Make it readable, and check again") from None
        if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            hint = "Save it as UTF-8. In PowerShell: Set-Content -Encoding utf8."
            raise Failed(f"{file} is UTF-16 text", "UTF-8 text", file=file, hint=hint)
        if b"\0" in content:
            raise Failed(f"{file} is a binary file", "plain text", file=file)
        if not content.strip():
            raise Failed(f"{file} is empty", "your solution of this task", file=file)
        return content.decode("utf-8", errors="replace")

    def dockerfile(self, recipe: Recipe | None = None) -> Dockerfile:
        """Parse the Dockerfile of a recipe, by default of this one."""
        return _parse(self.read(self.path(recipe or self.recipe)))

    def final(self, recipe: Recipe | None = None) -> Effective:
        """Return the effective last or target stage; raise `Failed` if there is none."""
        chosen = recipe or self.recipe
        parsed = self.dockerfile(chosen)
        found = effective.effective(parsed, chosen.target)
        if found is None and chosen.target:
            raise _missing_stage(parsed, chosen.target)
        if found is None:
            raise Failed("no FROM instruction", "a FROM that names the base image", line=1)
        return found

    def check_stage_names(self, recipe: Recipe) -> None:
        """Raise `Failed` if an instruction copies from a stage that does not exist."""
        parsed = self.dockerfile(recipe)
        for step in (step for stage in parsed.stages for step in stage.instructions):
            name = step.flag("from")
            # A name with a colon or a slash is an image.
            if name and not set(name) & set(":/$") and not parsed.find(name):
                actual = f"{step.keyword} --from={name}; named stages: {_stage_names(parsed)}"
                raise Failed(actual, "the name of an earlier stage", line=step.line)

    @staticmethod
    def path(recipe: Recipe) -> str:
        """Return the path of a recipe's Dockerfile, relative to the folder."""
        return (Path(recipe.context) / recipe.dockerfile).as_posix()

    def blamed_file(self, of: str) -> str:
        """Return the file that a failure with only a line refers to: Dockerfile or compose file."""
        return self.task.compose or self.path(self.task.recipe(of))

    def compose(self) -> Compose:
        """Parse the compose file of the task."""
        from workshop.analysis import compose  # noqa: PLC0415 - most tasks have none

        return compose.read(self.read(self.task.compose), {})

    def ignores(self, path: str, context: str = ".") -> bool:
        """Whether the ignore file excludes `path` from the build context."""
        name, text = self._ignore_file(context)
        return ignore_file.parse(text, name).excludes(path)

    def _ignore_file(self, context: str) -> tuple[str, str]:
        """Return the ignore file's path and text; one named after the Dockerfile comes first."""
        names = [".dockerignore"]
        if self.task.recipes:
            names.insert(0, f"{self.recipe.dockerfile}.dockerignore")
        for name in names:
            with contextlib.suppress(Failed):
                path = (Path(context) / name).as_posix()
                return path, self.read(path)
        return ".dockerignore", ""

    def _missing(self, file: str) -> Failed:
        parent, name = (self.folder / file).parent, Path(file).name
        try:
            others = sorted(other.name for other in parent.iterdir())
        except OSError:
            others = []
        near = [other for other in others if other.lower() in _similar(name)]
        below = [other for other in others if (parent / other / name).is_file()]
        if near:
            where = " on Linux" if near[0].lower() == name.lower() else ""
            actual = f"{near[0]}, which is a different name{where}"
            hint = f"Rename {near[0]} to {name}."
        elif below:
            actual = f"{below[0]}/{name}, which is in a folder below"
            hint = f"Move the files of {below[0]} one folder up, or check that folder."
        else:
            actual = f"no such file; the folder {_list_names(others)}"
            command = f"workshop start {self.task.name}"
            hint = f"Create {file} in {self.folder}; {command} copies the files beside it."
        return Failed(actual, f"a file named {file}", file=file, hint=hint)


def find(task: Task, folder: Path) -> Source:
    """Return the submission in a learner's folder; raise `UserError` if it is not a folder."""
    real = folder.resolve()
    if not real.is_dir():
        found = "it is a file" if real.exists() else "there is no such folder"
        raise UserError(str(folder), found, f"Create it with: workshop start {task.name}")
    return Source(task, real)


def _similar(name: str) -> set[str]:
    """Return the names, in lower case, that a file gets by mistake; editors add `.txt`."""
    lower = name.lower()
    names = {lower, f"{lower}.txt", f"{lower}.dockerfile", lower.replace("-", "_")}
    stem, dot, ending = lower.rpartition(".")
    names.add(f"{stem}.template{dot}{ending}")
    if lower.startswith("dockerfile"):
        names.add("dockerfile")
    if lower.endswith(".yml"):
        stems = {lower.removesuffix(".yml"), "docker-compose", "compose"}
        names |= {f"{stem}.{ending}" for stem in stems for ending in ("yml", "yaml")}
    return names


def _list_names(names: list[str]) -> str:
    """Say what a folder has, in at most `MAX_NAMES` names."""
    visible = [name for name in names if not is_local(name)]
    if not visible:
        return "is empty"
    more = f" and {len(visible) - MAX_NAMES} more" if len(visible) > MAX_NAMES else ""
    return f"has {', '.join(visible[:MAX_NAMES])}{more}"


def _missing_stage(parsed: Dockerfile, target: str) -> Failed:
    """Return the failure of a Dockerfile without the stage `target`, with the closest name."""
    import difflib  # noqa: PLC0415 - only needed for a missing stage

    names = [stage.name for stage in parsed.stages if stage.name]
    near = [name for name in names if target.startswith(name) or name.startswith(target)]
    near = near or difflib.get_close_matches(target, names, 1)
    line = next((stage.line for stage in parsed.stages if stage.name in near), None)
    return Failed(
        f"named stages: {_stage_names(parsed)}",
        f"a stage named {target}",
        line=line,
        why="docker build --target and compose files select a stage by its name.",
        hint=f"Rename the stage {near[0]} to {target}." if near else f"Add FROM ... AS {target}.",
    )


@functools.lru_cache(maxsize=8)
def _parse(text: str) -> Dockerfile:
    return parser.parse(text)


def _stage_names(parsed: Dockerfile) -> str:
    return ", ".join(stage.name for stage in parsed.stages if stage.name) or "none"
