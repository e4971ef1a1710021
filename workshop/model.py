"""What a grade is made of: tasks have checks, checks give results, results make a verdict.

Nothing here reads a file, asks an engine or prints.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FunctionType


class Outcome(StrEnum):
    """How a check ended. `ERROR` is the kit's own fault and costs nobody points."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    ERROR = "error"


# The facts that a check can ask for by the name of its parameter, in the order in which they
# come to be, and the stage that each belongs to.
STAGES: Mapping[str, str] = {
    "source": "source",
    "image": "image",
    "built_source": "image",
    "rebuild": "image",
    "run": "app",
    "app": "app",
    "health": "app",
    "shutdown": "app",
    "persistence": "app",
    "stack": "stack",
    "server": "stack",
    "test_suite": "stack",
    "failing_suite": "stack",
}


_NONE: Mapping[str, Any] = MappingProxyType({})


class Failed(Exception):  # noqa: N818 - the word that checks read best with
    """A requirement is not met: what was `seen`, what was `wanted`, and where.

    `why` and `hint` replace the check's own where something more exact can be said. `line` counts
    from 1 in `file`, which is the Dockerfile unless told; `layer` is the image's layer to blame.
    """

    def __init__(  # noqa: PLR0913 - the parts of what a learner reads
        self,
        actual: str,
        expected: str,
        *,
        line: int | None = None,
        file: str = "",
        layer: int | None = None,
        why: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(f"{actual}; expected: {expected}")
        self.actual, self.expected, self.line, self.file = actual, expected, line, file
        self.layer, self.why, self.hint = layer, why, hint


class Check(NamedTuple):
    """One requirement: how to judge it, what it is worth, and what to tell who misses it.

    `judge` takes the fact called `needs` and raises `Failed`. `text`, where there is one, judges
    the same by the learner's text alone: it stands in where nothing can be built, and finds the
    line to blame where `judge` has failed. So do the last of the instructions named by `blame`.
    `of` names the recipe that the fact is made by.
    """

    id: str
    title: str
    needs: str
    points: int
    lesson: str
    why: str
    hint: str
    judge: Callable[[Any], None]
    text: Callable[[Any], None] | None = None
    blame: tuple[str, ...] = ()
    of: str = ""

    @property
    def stage(self) -> str:
        """`source`, `image`, `app` or `stack`; a fact of the task's own making is of the `app`."""
        return STAGES.get(self.needs, "app")

    def of_recipe(self, name: str) -> Check:
        """The same requirement of another image of the task."""
        return self._replace(id=f"{name}-{self.id}", title=f"{self.title} ({name})", of=name)


def check(  # noqa: PLR0913 - the parts of a check
    *,
    points: int,
    why: str,
    hint: str,
    lesson: str = "",
    text: Callable[[Any], None] | None = None,
    blame: tuple[str, ...] = (),
    title: str = "",
    name: str = "",
) -> Callable[[Any], Check]:
    """Make a check of a function: its name is the id, its docstring the title.

    The name of its one parameter says which fact it needs.
    """

    def make(judge: FunctionType) -> Check:
        (needs,) = judge.__code__.co_varnames[: judge.__code__.co_argcount]
        return Check(
            id=name or judge.__name__.replace("_", "-"),
            title=title or (judge.__doc__ or "").rstrip("."),
            needs=needs,
            points=points,
            lesson=lesson,
            why=why,
            hint=hint,
            judge=judge,
            text=text,
            blame=blame,
        )

    return make


class Recipe(NamedTuple):
    """How one image of a task is built, and how its container is run.

    `name` is empty for a task's only image. `port` is 0 for a program that says something and
    ends, which may take so many `seconds`; a server may also choose its port. `edit` is the source
    file in which a line is changed to measure what a rebuild reuses, and `project` the distribution
    that this source is. With `mount`, a copy of its folder is mounted over the one in the image.
    """

    name: str = ""
    dockerfile: str = "Dockerfile"
    context: str = "."
    target: str = ""
    port: int = 0
    environment: Mapping[str, str] = _NONE
    command: tuple[str, ...] = ()
    seconds: float = 60.0
    edit: str = ""
    project: str = ""
    mount: bool = False


class Task(NamedTuple):
    """One exercise.

    `folder` is the kit's own, relative to its root; `answer` the files that the learner writes;
    `withheld` patterns of other files that are no part of the starter; `only` the parts of the
    folder that are, where not all of it is. `clutter` names files that lie about in many a folder:
    they are put into each build context, to see whether an image holds them. `compose` is the
    compose file, where that is graded.
    `facts` are made by the task's own functions, of the bench and the name of a recipe.
    """

    name: str
    title: str
    lesson: str
    folder: str
    answer: tuple[str, ...]
    recipes: tuple[Recipe, ...]
    checks: tuple[Check, ...]
    withheld: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    unwanted_files: tuple[str, ...] = ()
    compose: str = ""
    facts: Mapping[str, Callable[[Any, str], Any]] = _NONE

    @property
    def max_score(self) -> int:
        """All the points there are."""
        return sum(check.points for check in self.checks)

    def recipe(self, name: str = "") -> Recipe:
        """The recipe of that name; the first one without a name."""
        return next(recipe for recipe in self.recipes if not name or recipe.name == name)


class Result(NamedTuple):
    """What came of one check."""

    check: Check
    outcome: Outcome
    actual: str = ""
    expected: str = ""
    why: str = ""
    hint: str = ""
    line: int | None = None
    file: str = ""

    @property
    def points(self) -> int:
        """What it earned."""
        return self.check.points if self.outcome is Outcome.PASSED else 0


class LintWarning(NamedTuple):
    """A linter's remark: it never costs points."""

    line: int
    code: str
    text: str


class Verdict(NamedTuple):
    """What a submission is worth, and why. `note` says why the kit could not grade it all."""

    task: Task
    results: tuple[Result, ...]
    static: bool = False
    standin_bases: bool = False
    lint_warnings: tuple[LintWarning, ...] = ()
    note: str = ""

    @property
    def score(self) -> int:
        """The points earned."""
        return sum(result.points for result in self.results)

    @property
    def max_score(self) -> int:
        """All the points there are."""
        return self.task.max_score

    @property
    def outcome(self) -> str:
        """`passed`, `failed`, or `ungradable` where the kit itself came to grief."""
        outcomes = {result.outcome for result in self.results}
        if Outcome.ERROR in outcomes or self.note:
            return "ungradable"
        return "failed" if Outcome.FAILED in outcomes else "passed"
