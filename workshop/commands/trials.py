"""The commands `cache` and `slim`, which try changes to a learner's answer in a copy."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

from workshop.analysis import source
from workshop.commands.exercises import find_folder
from workshop.core.errors import UserError
from workshop.core.paths import ROOT, cache_folder
from workshop.core.sanitise import plain
from workshop.engine import Engine
from workshop.grading.cache import Cache
from workshop.model import Failed
from workshop.tasks import course
from workshop.trials.bench import Observer
from workshop.trials.draft import read_draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from workshop.analysis.source import Source
    from workshop.core.process import SubprocessRunner
    from workshop.core.progress import ProgressDisplay
    from workshop.trials.bench import Reporters
    from workshop.trials.slim import Slimming

    GetRunner = Callable[[], SubprocessRunner]

FAILED = 1


def show_cache(name: str, path: str | None, runner: GetRunner) -> int:
    """Print what a rebuild repeats after an edit, and the lines to swap."""
    from workshop.reports import rebuilds as report
    from workshop.trials import rebuilds

    found, engine = _open(name, path, runner)
    try:
        with _observer() as observer:
            measured = rebuilds.measure(found, engine, Cache(cache_folder()), observer)
    except Failed as failed:
        return _print_failure(name, failed)
    print(report.format_report(measured), end="")
    return 0


def slim(name: str, path: str | None, runner: GetRunner, *, apply: bool) -> int:
    """Print the changes that make an image smaller, and write them with `apply`."""
    from workshop.reports.slimming import format_slimming
    from workshop.stack import versions
    from workshop.trials import slim

    found, engine = _open(name, path, runner)
    bases = [base.image for base in versions.read(ROOT / "versions.toml").base]
    try:
        with _observer() as observer:
            slimming = slim.slim(found, engine, Cache(cache_folder()), observer, bases)
    except Failed as failed:
        return _print_failure(name, failed)
    print(format_slimming(slimming), end="")
    if slimming.kept and apply:
        for file in apply_changes(slimming, found.folder):
            print(f"Written: {file}")
    elif slimming.kept:
        where = f" {path}" if path else ""
        print(f"To write these changes: workshop slim {name}{where} --apply")
    return 0


def _open(name: str, path: str | None, runner: GetRunner) -> tuple[Source, Engine]:
    """Return the answer and the engine; raise `UserError` without a Dockerfile or an engine."""
    found = source.find(course.task(name), find_folder(name, path))
    with contextlib.suppress(Failed):
        read_draft(found)
    engine = Engine(runner())
    engine.require(f"task {name}")
    return found, engine


@contextlib.contextmanager
def _observer() -> Iterator[Observer]:
    """Show each trial on standard error: its build steps on a terminal, and a line at its end."""
    from rich.console import Console

    from workshop.core.progress import ProgressDisplay

    with ProgressDisplay(Console(stderr=True)) as display:
        yield Observer(lambda title: _job(display, title))


@contextlib.contextmanager
def _job(display: ProgressDisplay, title: str) -> Iterator[Reporters]:
    with display.job(plain(title), "building and running") as job:
        yield job.step, job.note


def _print_failure(name: str, failed: Failed) -> int:
    """Say that the image does not build, which a check explains."""
    where = f" (line {failed.line})" if failed.line else ""
    print(f"{name}: {plain(failed.actual)}{where}; expected: {plain(failed.expected)}")
    print(f"Fix this first: workshop check {name}")
    return FAILED


def apply_changes(slimming: Slimming, folder: Path) -> list[Path]:
    """Write what has changed into the learner's folder, and return the files.

    Raises `UserError` if a file is no longer as it was tried; then none is written.
    """
    changed = {
        folder / path: text
        for path, text in slimming.end.files.items()
        if text != slimming.start.files.get(path, "")
    }
    try:
        for file in changed:
            before = slimming.start.files.get(file.relative_to(folder).as_posix(), "")
            is_same = not os.path.lexists(file) or file.read_bytes() == _encode(before)
            if file.is_symlink() or not is_same:
                raise UserError(str(file), "it has changed since it was read", "Run slim again")
        for file, text in changed.items():
            _write(file, text)
    except OSError as error:
        fix = "Make the folder writable, and run slim again"
        raise UserError(str(folder), error.strerror or "cannot be written", fix) from None
    return list(changed)


def _write(file: Path, text: str) -> None:
    """Write a file whole or not at all, with the mode that it has."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        draft.write_bytes(_encode(text))
        if file.exists():
            draft.chmod(file.stat().st_mode & 0o777)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
