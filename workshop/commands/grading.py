"""The commands `start`, `check` and `solution`, which learners use for a task."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core.errors import UserError
from workshop.core.paths import ROOT
from workshop.grading import lint
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workshop.analysis.source import Source
    from workshop.core.process import SubprocessRunner
    from workshop.engine import Engine
    from workshop.model import Verdict

    GetRunner = Callable[[], SubprocessRunner]

EXERCISES = "exercises"
EXIT_CODES = {"passed": 0, "failed": 1, "ungradable": 2}


def start(name: str, path: str | None) -> int:
    """Copy a task's starter files to a folder; existing files stay as they are."""
    from workshop.analysis import starter

    task = course.task(name)
    folder = Path(path) if path else _default_folder(name)
    if folder.exists() and not folder.is_dir():
        raise UserError(str(folder), "it is a file", "Name a folder, which may be new")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        new = starter.copy_missing(task, folder)
    except OSError as error:
        fix = "Name a folder that you may write to"
        raise UserError(str(folder), error.strerror or "cannot be written", fix) from None
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
    verdict = grade_folder(name, path, static=static, runner=runner)
    _print(verdict, kind)
    _record(path, verdict)
    return EXIT_CODES[verdict.outcome]


def hint(name: str, path: str | None, runner: GetRunner) -> int:
    """Print one hint: of the text of the answer if that suffices, or else of a full check."""
    verdict = grade_folder(name, path, static=True, runner=runner)
    if verdict.outcome == "passed":
        verdict = grade_folder(name, path, static=False, runner=runner)
    return show_hint(verdict)


def show_hint(verdict: Verdict) -> int:
    """Print the hint of the first check that failed, and where; return the exit code."""
    import textwrap

    from workshop.model import Outcome
    from workshop.reports import terminal

    failed = next((r for r in verdict.results if r.outcome is Outcome.FAILED), None)
    if failed is None:
        print("Nothing failed." if verdict.outcome == "passed" else verdict.note)
    else:
        where = f" ({failed.file}, line {failed.line})" if failed.line else ""
        cause = failed.why if failed.cause else ""
        lines = (f"{failed.check.title}{where}", cause, failed.hint)
        for line in filter(None, (*lines, f"Lesson: {failed.check.lesson}")):
            print(textwrap.fill(line, terminal.COLUMNS, break_on_hyphens=False))
    return EXIT_CODES["failed" if failed else verdict.outcome]


def list_tasks() -> int:
    """Print every task with its state."""
    from workshop.commands import progress

    return progress.show_list(exercises_folder())


def watch(name: str, path: str | None, kind: str, *, static: bool, runner: GetRunner) -> int:
    """Grade the folder whenever a file is saved, statically first, until Ctrl-C."""
    from workshop.grading import watch

    code = 0
    for _ in watch.saves(_find_folder(name, path)):
        try:
            verdict = grade_folder(name, path, static=True, runner=runner)
            _print(verdict, kind)
            if not static:
                print("\nBuilding and running it ...\n")
                verdict = grade_folder(name, path, static=False, runner=runner)
                _print(verdict, kind)
                _record(path, verdict)
            code = EXIT_CODES[verdict.outcome]
        except UserError as error:
            print(error)
        print("\nWaiting for a file to be saved. Press Ctrl-C to quit.\n", flush=True)
    return code


def grade_folder(name: str, path: str | None, *, static: bool, runner: GetRunner) -> Verdict:
    """Return the verdict on a learner's folder, with hadolint's warnings."""
    folder = _find_folder(name, path)
    # Start hadolint first: it runs while this program loads the task and its checks.
    file = folder / course.reference(name).name
    read_warnings = lint.start_hadolint([file] if file.name.startswith("Dockerfile") else [])
    from workshop.analysis import source

    found = source.find(course.task(name), folder)
    if static:
        from workshop.grading import grade

        verdict = grade.static(found)
    else:
        verdict = _grade(found, runner())
    return verdict._replace(lint_warnings=read_warnings())


def _grade(source: Source, run: SubprocessRunner) -> Verdict:
    """Build, run and grade; without an engine, only run the static checks."""
    from workshop.engine import Engine
    from workshop.grading import grade

    engine = Engine(run)
    verdict = grade.confirmed(lambda: _evaluate(engine, source))
    if verdict.outcome == "ungradable" and engine.info() is None:
        note = "no Docker engine answers. Start one with make up; see also workshop doctor"
        return grade.static(source, note)
    return verdict


def _evaluate(engine: Engine, source: Source) -> Verdict:
    from workshop.core.paths import cache_folder
    from workshop.grading import grade
    from workshop.grading.cache import Cache
    from workshop.grading.evaluation import Evaluation

    cache = Cache(cache_folder())
    with (
        _progress(source.task.name) as on_line,
        Evaluation(engine, source, cache, on_line=on_line) as evaluation,
    ):
        return grade.full(evaluation)


@contextlib.contextmanager
def _progress(name: str) -> Iterator[Callable[[str], None]]:
    """Show the current build step if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    from workshop.core.progress import ProgressDisplay

    with (
        ProgressDisplay(Console(stderr=True)) as display,
        display.job(name, "building and running") as job,
    ):
        yield job.step


def solution(name: str, path: str | None) -> int:
    """Print the difference between the learner's files and the reference solution."""
    from workshop.analysis import source

    task = course.task(name)
    found = source.find(task, _find_folder(name, path))
    difference = [line for file in task.answer for line in _compare(found, file)]
    sys.stdout.writelines(difference or ["Your answer is identical to the reference solution.\n"])
    return 0


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


def _record(path: str | None, verdict: Verdict) -> None:
    """Record the verdict on an answer in its default folder."""
    if not path:
        from workshop.commands import progress

        progress.record(exercises_folder(), verdict)


def exercises_folder() -> Path:
    """Return the folder of the exercises: the one around the current folder, or one below it."""
    here = Path.cwd()
    around = next((path for path in (here, *here.parents) if path.name == EXERCISES), None)
    return Path(os.path.relpath(around)) if around else Path(EXERCISES)


def _default_folder(name: str) -> Path:
    """Return the folder of a task without PATH; tasks on the same service share one."""
    return exercises_folder() / (course.reference(name).parent.name or name)


def _find_folder(name: str, path: str | None) -> Path:
    """Return the folder to grade: `path`, the task's default, or the current folder."""
    if path:
        return Path(path)
    default = _default_folder(name)
    if not default.is_dir() and Path(course.reference(name).name).exists():
        return Path()
    return default


def _print(verdict: Verdict, kind: str) -> None:
    if kind == "text":
        from workshop.reports import terminal

        terminal.print_verdict(verdict)
    elif kind == "json":
        from workshop.reports import json

        print(json.format_verdict(verdict))
    else:
        from workshop.reports import junit

        print(junit.format_verdict(verdict))
