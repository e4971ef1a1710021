"""The types of grading: tasks have checks, checks have results, results make a verdict.

Nothing here reads files, calls the engine or prints.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FunctionType


class Outcome(StrEnum):
    """The outcome of a check. `ERROR` is a fault of the kit and costs no points."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    ERROR = "error"


# The facts that the parameter of a check can name, in the order in which
# they become known, and the stage of each.
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


# Begins the `actual` of a check that was skipped because another one failed; its title follows.
NOT_CHECKED = "not checked, because this failed: "

_NONE: Mapping[str, Any] = MappingProxyType({})


class Failed(Exception):  # noqa: N818 - `raise Failed(...)` reads best in a check
    """A requirement is not met: the `actual` and `expected` state, and the place.

    `why` and `hint` replace those of the check if they can be more precise. `line` counts from
    1 in `file`, by default the Dockerfile; `layer` is the number of the image layer to blame.
    The cause is looked for in `output`, what the failing program printed, and in `actual`.
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
        output: str = "",
    ) -> None:
        super().__init__(f"{actual}; expected: {expected}")
        self.actual, self.expected, self.line, self.file = actual, expected, line, file
        self.layer, self.why, self.hint, self.output = layer, why, hint, output


class Check(NamedTuple):
    """One requirement: how to check it, its points, and what to print if it fails.

    `judge` takes the fact named `needs` and raises `Failed`. The optional `text` checks the same
    requirement statically: it replaces `judge` if nothing can be built, and finds the line to
    blame if `judge` failed. Otherwise the last of the `blame` instructions is to blame.
    `of` is the name of the recipe that the fact belongs to.
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
        """`source`, `image`, `app` or `stack`; facts that a task defines belong to `app`."""
        return STAGES.get(self.needs, "app")

    def of_recipe(self, name: str) -> Check:
        """Return the same check for another image of the task."""
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
    """Turn a function into a check: its name is the id, its docstring the title.

    The name of its only parameter is the fact that it needs.
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
    """How to build one image of a task and run its container.

    `name` is empty for a task's only image. `port` is 0 for a program that prints and exits, for
    which it has `seconds`; a server may also choose its port. `edit` is the source file that is
    changed to measure what a rebuild reuses, and `project` is the distribution that contains it.
    With `mount`, a copy of the folder is mounted over the one in the image.
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

    `folder` has the reference solution, relative to the kit's root; `answer` lists the files that
    the learner writes; `withheld` has patterns of other files that the starter leaves out; `only`
    restricts the starter to some paths. `unwanted_files` are added to each build context, to find
    out whether an image contains them. `compose` is the compose file, if that is graded.
    `taught_later` has the hadolint rules that an answer breaks until a later task teaches them.
    `already_met` has the ids of the checks that the answer to the task before also passes.
    `facts` maps names to functions that take the evaluation and the name of a recipe.
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
    taught_later: tuple[str, ...] = ()
    already_met: tuple[str, ...] = ()
    facts: Mapping[str, Callable[[Any, str], Any]] = _NONE

    @property
    def max_score(self) -> int:
        """The points of all checks."""
        return sum(check.points for check in self.checks)

    def recipe(self, name: str = "") -> Recipe:
        """Return the recipe with that name, or the first one if `name` is empty."""
        return next(recipe for recipe in self.recipes if not name or recipe.name == name)


class Result(NamedTuple):
    """The result of one check. With a `cause` of the table of causes, `why` describes it."""

    check: Check
    outcome: Outcome
    actual: str = ""
    expected: str = ""
    why: str = ""
    hint: str = ""
    line: int | None = None
    file: str = ""
    cause: str = ""

    @property
    def points(self) -> int:
        """The points earned."""
        return self.check.points if self.outcome is Outcome.PASSED else 0


class LintWarning(NamedTuple):
    """A warning of hadolint, which costs no points."""

    line: int
    code: str
    text: str


class Verdict(NamedTuple):
    """The grade of a submission. `note` is the reason why the kit could not grade everything."""

    task: Task
    results: tuple[Result, ...]
    static: bool = False
    standin_bases: bool = False
    lint_warnings: tuple[LintWarning, ...] = ()
    note: str = ""

    @property
    def score(self) -> int:
        """The points earned, rounded down.

        Checks that the answer to the task before passes too count in proportion to the others:
        handing in that answer again earns nothing.
        """
        new = [result for result in self.results if not self.is_already_met(result)]
        earned = sum(result.points for result in new)
        before = sum(result.points for result in self.results) - earned
        most = sum(result.check.points for result in new)
        return earned + (before * earned // most if most else before)

    def is_already_met(self, result: Result) -> bool:
        """Whether the answer to the task before passes this check too."""
        return result.check.id in self.task.already_met

    @property
    def max_score(self) -> int:
        """The points of all checks."""
        return self.task.max_score

    @property
    def first_failure(self) -> Result | None:
        """The first check that failed, in the order of the task."""
        return next((r for r in self.results if r.outcome is Outcome.FAILED), None)

    @property
    def outcome(self) -> str:
        """`passed`, `failed`, or `ungradable` if the kit itself had an error."""
        outcomes = {result.outcome for result in self.results}
        if Outcome.ERROR in outcomes or self.note:
            return "ungradable"
        return "failed" if Outcome.FAILED in outcomes else "passed"
