"""The commands `start`, `check`, `hint` and `solution`, which learners use for a task."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable  # noqa: TC003 - NamedTuple
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workshop.commands.exercises import default_folder, find_exercises, find_folder
from workshop.core.errors import UserError
from workshop.core.paths import ROOT
from workshop.grading import lint
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.analysis.source import Source
    from workshop.core.process import SubprocessRunner
    from workshop.engine import Engine
    from workshop.model import Result, Verdict

    GetRunner = Callable[[], SubprocessRunner]

EXIT_CODES = {"passed": 0, "failed": 1, "ungradable": 2}
JSON_LINES = "json-lines"


class Observer(NamedTuple):
    """Receives each line of the build's output, and each result, while a check runs."""

    on_line: Callable[[str], None]
    on_result: Callable[[Result], None]


def start(name: str, path: str | None) -> int:
    """Copy a task's starter files to a folder; existing files stay as they are."""
    from workshop.analysis import starter

    task = course.task(name)
    folder = Path(path) if path else default_folder(find_exercises(), name)
    if folder.exists() and not folder.is_dir():
        raise UserError(str(folder), "it is a file", "Name a folder, which may be new")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        new = starter.copy_missing(task, folder)
    except OSError as error:
        fix = "Name a folder that you may write to"
        raise UserError(str(folder), error.strerror or "cannot be written", fix) from None
    if not path:
        from workshop.commands import progress

        progress.record_start(find_exercises(), task)
    print(f"{task.name}: {task.title}\n")
    print(f"{folder}: {len(new)} new files; existing files are unchanged\n")
    print(f"Write {' and '.join(task.answer)} there. Requirements and points:")
    for check in task.checks:
        print(f"  {check.points:>2}  {check.title}")
    where = f" {path}" if path else ""
    print(f"\nThen: workshop check {task.name}{where}")
    return 0


def check(name: str, path: str | None, kind: str, *, static: bool, runner: GetRunner) -> int:
    """Grade a learner's folder and print the verdict."""
    observer = _print_events() if kind == JSON_LINES else None
    verdict = grade_folder(name, path, static=static, runner=runner, observer=observer)
    print_verdict(verdict, kind)
    record(path, verdict)
    return EXIT_CODES[verdict.outcome]


def hint(name: str, path: str | None, runner: GetRunner) -> int:
    """Print one hint: of the text of the answer if that suffices, or else of a full check."""
    verdict = grade_folder(name, path, static=True, runner=runner)
    if verdict.outcome == "passed":
        verdict = grade_folder(name, path, static=False, runner=runner)
    return show_hint(verdict)


def show_hint(verdict: Verdict, number: int = 0) -> int:
    """Print the hint of a failure, by default the first, and where; return the exit code."""
    from workshop.model import Outcome
    from workshop.reports import terminal

    failures = [result for result in verdict.results if result.outcome is Outcome.FAILED]
    if failures:
        failed = failures[number % len(failures)]
        cause = [failed.why] if failed.cause else []
        lines = [terminal.describe(failed), *cause, failed.hint, f"Lesson: {failed.check.lesson}"]
    elif verdict.note:
        lines = [f"The text has no failure, and only a build can tell more, but {verdict.note}"]
    else:
        errors = [r.actual for r in verdict.results if r.outcome is Outcome.ERROR]
        lines = [f"Not graded: {errors[0]}" if errors else "Nothing failed."]
    print("\n".join(line for text in lines for line in terminal.wrap(text)))
    return EXIT_CODES["failed" if failures else verdict.outcome]


def list_tasks() -> int:
    """Print every task with its state."""
    from workshop.commands import progress

    return progress.show_list(find_exercises())


def status(runner: GetRunner) -> int:
    """Print where the learner is, what is next, and whether an engine answers."""
    from workshop.commands import status

    return status.show_status(find_exercises(), status.describe_engine(runner()))


def grade_folder(
    name: str,
    path: str | None,
    *,
    static: bool,
    runner: GetRunner,
    observer: Observer | None = None,
) -> Verdict:
    """Return the verdict on a learner's folder, with hadolint's warnings.

    Without an `observer`, a terminal shows the current build step.
    """
    folder = find_folder(name, path)
    # Start hadolint first: it runs while this program loads the task and its checks.
    file = folder / course.reference(name).name
    read_warnings = lint.start_hadolint([file] if file.name.startswith("Dockerfile") else [])
    from workshop.analysis import source

    found = source.find(course.task(name), folder)
    if static:
        from workshop.grading import grade

        verdict = grade.static(found)
    else:
        verdict = _grade(found, runner(), observer)
    return verdict._replace(lint_warnings=lint.collect(read_warnings, file, found.task))


def _grade(source: Source, run: SubprocessRunner, observer: Observer | None) -> Verdict:
    """Build, run and grade; without an engine, only run the static checks."""
    from workshop.engine import Engine
    from workshop.grading import grade

    engine = Engine(run)
    verdict = grade.confirmed(lambda: _evaluate(engine, source, observer))
    if verdict.outcome == "ungradable" and engine.info() is None:
        note = "no Docker engine answers. Start one with make up; see also workshop doctor"
        return grade.static(source, note)
    return verdict


def _evaluate(engine: Engine, source: Source, observer: Observer | None) -> Verdict:
    from workshop.core.paths import cache_folder
    from workshop.grading import grade
    from workshop.grading.cache import Cache
    from workshop.grading.evaluation import Evaluation

    cache = Cache(cache_folder())
    shown = contextlib.nullcontext(observer) if observer else _progress(source.task.name)
    with (
        shown as (on_line, on_result),
        Evaluation(engine, source, cache, on_line=on_line) as evaluation,
    ):
        return grade.full(evaluation, on_result)


@contextlib.contextmanager
def _progress(name: str) -> Iterator[Observer]:
    """Show the current build step if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield Observer(lambda _: None, lambda _: None)
        return
    from rich.console import Console

    from workshop.core.progress import ProgressDisplay

    with (
        ProgressDisplay(Console(stderr=True)) as display,
        display.job(name, "building and running") as job,
    ):
        yield Observer(job.step, lambda _: None)


def _print_events() -> Observer:
    """Print each event as one line of JSON, while another program reads them."""
    from workshop.reports import json

    def write(line: str) -> None:
        print(line, flush=True)

    return Observer(
        lambda line: write(json.format_line("line", line)),
        lambda result: write(json.format_line("result", json.describe_result(result))),
    )


def solution(name: str, path: str | None, *, confirmed: bool) -> int:
    """Print the difference between the learner's files and the reference solution.

    Before the first recorded check, it has to be `confirmed`, by an option or on the terminal.
    """
    from workshop.analysis import source

    task = course.task(name)
    found = source.find(task, find_folder(name, path))
    if not confirmed and not _may_show_solution(name, path):
        print(f"Run workshop check {name} first.")
        return 0
    difference = [line for file in task.answer for line in _compare(found, file)]
    sys.stdout.writelines(difference or ["Your answer is identical to the reference solution.\n"])
    return 0


def _may_show_solution(name: str, path: str | None) -> bool:
    """Whether a check is recorded, or the learner agrees; raise `UserError` without a terminal."""
    from workshop.commands import progress

    if not path and progress.is_tried(find_exercises(), name):
        return True
    if not sys.stdin.isatty():
        found = "checks in other folders are not recorded" if path else "it has no check yet"
        fix = f"Run workshop check {name} first, or add --yes"
        raise UserError(path or name, found, "Add --yes" if path else fix)
    sys.stderr.write("Show the solution before your first check? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _compare(found: Source, file: str) -> Iterator[str]:
    """Return the unified diff from the learner's file to the reference solution's."""
    import difflib

    from workshop.model import Failed

    try:
        yours = found.read(file)
    except Failed:
        yours = ""
    reference = (ROOT / found.task.folder / file).read_text(encoding="utf-8")
    old, new = ([line + "\n" for line in text.splitlines()] for text in (yours, reference))
    return difflib.unified_diff(old, new, f"yours/{file}", f"reference/{file}")


def record(path: str | None, verdict: Verdict) -> None:
    """Record the verdict on an answer in its default folder."""
    if not path:
        from workshop.commands import progress

        progress.record(find_exercises(), verdict)


def print_verdict(verdict: Verdict, kind: str) -> None:
    """Print a verdict as `text`, `json`, `json-lines` or `junit`."""
    if kind == "text":
        from workshop.reports import terminal

        terminal.print_verdict(verdict)
    elif kind == "json":
        from workshop.reports import json

        print(json.format_verdict(verdict))
    elif kind == JSON_LINES:
        from workshop.reports import json

        print(json.format_line("verdict", json.document(verdict)))
    else:
        from workshop.reports import junit

        print(junit.format_verdict(verdict))
