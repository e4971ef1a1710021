"""The words that learners type: start a task, check it, compare it with the kit's answer."""

from __future__ import annotations

import contextlib
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
    from workshop.model import Task, Verdict

FORMATS = ("text", "json", "junit")
EXERCISES = "exercises"
EXIT_CODES = {"passed": 0, "failed": 1, "ungradable": 2}


def start(name: str, path: str | None) -> int:
    """Lay a task's starter out; what is there already stays as it is."""
    from workshop.analysis import starter

    task = course.task(name)
    folder = Path(path) if path else _usual(task)
    if folder.exists() and not folder.is_dir():
        raise UserError(str(folder), "it is a file", "Name a folder, or one that is not there yet")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        new = starter.copy_missing(task, folder)
    except OSError as error:
        fix = "Name a folder that you may write to"
        raise UserError(str(folder), error.strerror or "cannot be written", fix) from None
    _say(f"{task.name}: {task.title}\n")
    _say(f"{folder}: {len(new)} files new, the rest left as it was\n")
    _say(f"Write {' and '.join(task.answer)} there. What is asked for, with its points:")
    for check in task.checks:
        _say(f"  {check.points:>2}  {check.title}")
    where = f" {path}" if path else ""
    _say(f"\nThen: workshop check {task.name}{where}")
    return 0


def check(
    name: str, path: str | None, kind: str, *, static: bool, runner: Callable[[], SubprocessRunner]
) -> int:
    """Grade a learner's folder, and say what came of it."""
    verdict = look(course.task(name), path, static=static, runner=runner)
    _print(verdict, kind)
    return EXIT_CODES[verdict.outcome]


def watch(
    name: str, path: str | None, kind: str, *, static: bool, runner: Callable[[], SubprocessRunner]
) -> int:
    """Check at every save, by the text at once and then in full, until Ctrl-C."""
    from workshop.grading import watch

    task = course.task(name)
    code = 0
    for _ in watch.saves(_folder(task, path)):
        try:
            verdict = look(task, path, static=True, runner=runner)
            _print(verdict, kind)
            if not static:
                _say("\nBuilding and running it ...\n")
                verdict = look(task, path, static=False, runner=runner)
                _print(verdict, kind)
            code = EXIT_CODES[verdict.outcome]
        except UserError as error:
            _say(str(error))
        _say("\nWaiting for a file to be saved; Ctrl-C ends this.\n")
        sys.stdout.flush()
    return code


def look(
    task: Task, path: str | None, *, static: bool, runner: Callable[[], SubprocessRunner]
) -> Verdict:
    """The verdict on a learner's folder, with hadolint's advice."""
    folder = _folder(task, path)
    # First of all: hadolint reads while this program is still loading its parts.
    hear = lint.start_hadolint(
        [folder / recipe.context / recipe.dockerfile for recipe in task.recipes[:1]]
    )
    from workshop.analysis import source

    found = source.find(task, folder)
    if static:
        from workshop.grading import grade

        verdict = grade.static(found)
    else:
        verdict = _grade(found, runner())
    return verdict._replace(lint_warnings=hear())


def _grade(source: Source, run: SubprocessRunner) -> Verdict:
    """Build, run and judge; without an engine, what the text alone tells."""
    from workshop.engine import Engine
    from workshop.grading import grade

    engine = Engine(run)
    verdict = grade.confirmed(lambda: _evaluate(engine, source))
    if verdict.outcome == "ungradable" and engine.info() is None:
        note = "no Docker engine answers. Start one with make up; workshop doctor says more"
        return grade.static(source, note)
    return verdict


def _evaluate(engine: Engine, source: Source) -> Verdict:
    from workshop.core.paths import cache_folder
    from workshop.grading import grade
    from workshop.grading.cache import Cache
    from workshop.grading.evaluation import Evaluation

    cache = Cache(cache_folder())
    with (
        _progress(source.task.name) as say,
        Evaluation(engine, source, cache, on_line=say) as evaluation,
    ):
        return grade.full(evaluation)


@contextlib.contextmanager
def _progress(name: str) -> Iterator[Callable[[str], None]]:
    """Shows the step that a build is at, where somebody sits before a terminal."""
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
    """Show how the kit's own answer differs from the learner's."""
    from workshop.analysis import source

    task = course.task(name)
    found = source.find(task, _folder(task, path))
    same = True
    for file in task.answer:
        for line in _difference(found, file):
            same = False
            sys.stdout.write(line)
    if same:
        _say("Your answer is the kit's own, letter for letter.")
    return 0


def _difference(found: Source, file: str) -> Iterator[str]:
    import difflib

    from workshop.model import Failed

    try:
        yours = found.read(file)
    except Failed:
        yours = ""
    kits = (ROOT / found.task.folder / file).read_text(encoding="utf-8")
    old, new = ([line + "\n" for line in text.splitlines()] for text in (yours, kits))
    return (yield from difflib.unified_diff(old, new, f"yours/{file}", f"the kit's/{file}"))


def _usual(task: Task) -> Path:
    """Where a task's folder is unless told: tasks on one service share theirs."""
    return Path(EXERCISES) / (task.name if task.compose else Path(task.folder).name)


def _folder(task: Task, path: str | None) -> Path:
    """The folder to look at: the one told, the usual one, or the one we are in."""
    if path:
        return Path(path)
    if not _usual(task).is_dir() and any(Path(file).exists() for file in task.answer):
        return Path()
    return _usual(task)


def _print(verdict: Verdict, kind: str) -> None:
    if kind == "text":
        from workshop.reports import terminal

        terminal.show(verdict)
    elif kind == "json":
        from workshop.reports import json

        _say(json.write(verdict))
    else:
        from workshop.reports import junit

        _say(junit.write(verdict))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
