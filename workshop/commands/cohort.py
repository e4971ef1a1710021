"""The command `grade`, which grades a whole class."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from workshop.cohort import intake, overrides
from workshop.cohort.display import Display
from workshop.cohort.exports import write_all
from workshop.cohort.grader import Grader
from workshop.cohort.keys import read_keys
from workshop.cohort.run import MOST_FAILURES, grade_all, judge_again, plan
from workshop.cohort.store import Store
from workshop.core.errors import UserError
from workshop.core.process import SubprocessRunner, temporary_folder
from workshop.core.progress import COLUMNS
from workshop.core.sanitise import plain
from workshop.grading import isolation
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from workshop.cohort.run import Job
    from workshop.cohort.submission import Submission
    from workshop.engine import Engine
    from workshop.grading.cache import Cache
    from workshop.grading.limits import Limits

    GetRunner = Callable[[], SubprocessRunner]

ALL = "all"
# An engine that was killed needs about ten seconds to start again.
SECONDS_TO_RECOVER = 60
_SECONDS_BETWEEN = 1.0


class Options(NamedTuple):
    """What to grade: the folder of submissions, the tasks, and the folder for the marks.

    `only` names a learner, or is empty; `jobs` is the number of submissions to grade at once.
    With `isolated`, every limit of a submission must hold.
    """

    folder: Path
    tasks: tuple[str, ...]
    out: Path
    roster: Path | None = None
    only: str = ""
    fresh: bool = False
    isolated: bool = False
    jobs: int = 0


def parse_tasks(names: Iterable[str]) -> tuple[str, ...]:
    """Return the tasks in the order of the course; a name may be `all`, or a list of names.

    Raises `UserError` for an unknown task.
    """
    wanted = {name for text in names for name in text.replace(",", " ").split()}
    for name in sorted(wanted - {ALL}):
        course.reference(name)
    return tuple(task for task in course.TASKS if ALL in wanted or task in wanted)


def dry_run(options: Options) -> int:
    """Print what the folder holds, and grade nothing."""
    with temporary_folder() as folder:
        found = intake.find(options.folder, options.tasks, roster=options.roster, workdir=folder)
        for line in intake.describe(found):
            print(plain(line))
        _select(options, found.submissions)
    return 0


def grade(options: Options, runner: GetRunner) -> int:
    """Grade what is missing or has changed, and write the marks."""
    _check_folders(options)
    with Store(options.out) as store, contextlib.ExitStack() as stack:
        manual = overrides.read(options.out)
        workdir = options.out / "extracted"
        found = intake.find(options.folder, options.tasks, roster=options.roster, workdir=workdir)
        for refused in found.refused:
            print(_wrap(f"{refused.origin}: {refused.found}. {refused.fix}."), file=sys.stderr)
        selected = _select(options, found.submissions)
        learners = {submission.learner.id for submission in found.submissions}
        store.check_class(options.folder, learners)
        run = runner()
        # What graders left behind that were killed, or whose engine did not answer.
        stack.callback(_clean_up, SubprocessRunner())
        _clean_up(run)
        stack.enter_context(temporary_folder())
        _grade(store, options, found.submissions, selected, run)
        for learner, task in manual:
            if learner not in learners:
                print(_wrap(f"{overrides.NAME}: [{learner}.{task}]: no such learner"))
        complete = _report(store, options, selected)
    return 0 if complete and not found.refused else 2


def _wrap(text: str) -> str:
    """Return a safe text in lines of 80 columns; a long path stays in one piece."""
    import textwrap

    return textwrap.fill(
        plain(text), COLUMNS, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def _grade(
    store: Store,
    options: Options,
    submissions: Sequence[Submission],
    selected: Sequence[Submission],
    run: SubprocessRunner,
) -> None:
    """Grade the selected submissions that need it."""
    from rich.console import Console

    from workshop.core.paths import cache_folder
    from workshop.engine import Engine
    from workshop.grading.cache import Cache

    engine, cache = Engine(run), Cache(cache_folder())
    keys = read_keys(engine)
    wanted = {submission: keys.key(submission) for submission in submissions}
    store.enrol(options.folder, wanted, options.tasks)
    chosen = {submission: wanted[submission] for submission in selected}
    if options.fresh:
        store.discard((key, keys.facts(submission)) for submission, key in chosen.items())
    missing = plan(store, chosen)
    jobs = judge_again(store, missing, keys.facts)
    if again := len(missing) - len(jobs):
        print(f"{again} judged again with the changed points, without a build")
    _announce(len(selected), jobs)
    limit = options.jobs or os.cpu_count() or 1
    limits = _find_limits(engine, cache, options) if jobs else None
    display = Display(Console(stderr=True), len(jobs))
    grader = Grader(engine, cache, display.line, limits)
    try:
        with display, ThreadPoolExecutor(limit) as executor:
            grade_all(
                store,
                jobs,
                grader,
                executor,
                limit=limit,
                watcher=display,
                recover=lambda: _wait_for(engine, display.print),
            )
    except BaseException:
        left, how = len(plan(store, chosen)), " without --fresh" if options.fresh else ""
        print(f"Stopped: {left} of {len(jobs)} are left. Run the same command{how} to go on.")
        raise


def _clean_up(run: SubprocessRunner) -> None:
    from workshop.core.paths import cache_folder
    from workshop.engine import Engine
    from workshop.grading import cleanup
    from workshop.grading.cache import Cache

    cleanup.remove_stale(Cache(cache_folder()).runs, Engine(run))


def _wait_for(engine: Engine, say: Callable[[str], None]) -> bool:
    """Wait until the engine answers; return whether it does within `SECONDS_TO_RECOVER`."""
    deadline = time.monotonic() + SECONDS_TO_RECOVER
    if engine.instance():
        return True
    say(f"The Docker engine does not answer: waiting up to {SECONDS_TO_RECOVER} s for it")
    while time.monotonic() < deadline:
        if engine.info():
            say("The Docker engine answers again")
            return True
        time.sleep(_SECONDS_BETWEEN)
    return False


def _find_limits(engine: Engine, cache: Cache, options: Options) -> Limits:
    """Print which limits the engine enforces, and write them down; return those to grade with.

    Raise `UserError` if all of them are required, and one does not hold.
    """
    from workshop.grading.limits import CLASS

    held = _probe_limits(engine, cache, again=options.fresh)
    if options.isolated and not all(held.values()):
        # Another try: a busy machine may have been too slow.
        held = _probe_limits(engine, cache, again=True)
    isolation.write(held, options.out)
    missing = [name for name, holds in held.items() if not holds]
    if not missing:
        print(f"Submissions are contained: {len(held)} of {len(held)} limits hold")
        return CLASS
    found = f"it does not enforce these limits: {', '.join(missing)}"
    if options.isolated:
        fix = "Use Docker on Linux as root, or grade without --require-isolation"
        raise UserError("the Docker engine", found, fix)
    warning = f"Submissions are not fully contained. The Docker engine: {found}"
    print(_wrap(warning), file=sys.stderr)
    return isolation.adapt(CLASS, held)


def _probe_limits(engine: Engine, cache: Cache, *, again: bool) -> dict[str, bool]:
    """Return which limits hold, by their names; try again if the engine stops meanwhile."""
    from workshop.engine import EngineUnavailableError

    for _ in range(MOST_FAILURES):
        instance = engine.instance()
        with contextlib.suppress(EngineUnavailableError):
            found = isolation.find_limits(engine, cache, again=again)
            if engine.instance() == instance:
                return found
        if not _wait_for(engine, lambda text: print(text, file=sys.stderr)):
            break
    found_text = "it stopped while its limits were tried"
    raise UserError("the Docker engine", found_text, "See workshop doctor")


def _announce(count: int, jobs: Sequence[Job]) -> None:
    waiting = sum(len(job.submissions) for job in jobs)
    parts = [f"{count - waiting} already graded", f"{len(jobs)} to grade"]
    if alike := waiting - len(jobs):
        parts.append(f"{alike} identical to one of these")
    print(f"{_count(count)}: {', '.join(parts)}", flush=True)


def _count(count: int) -> str:
    return f"{count} submission{'' if count == 1 else 's'}"


def _report(store: Store, options: Options, selected: Sequence[Submission]) -> bool:
    """Write the marks, and print a summary; return whether every selected one is graded."""
    rows = store.rows()
    try:
        written = write_all(rows, options.out, isolation.read(options.out))
    except OSError as error:
        found = error.strerror or "it cannot be written"
        fix = "Fix that, then run the same command again: the verdicts are stored"
        raise UserError(error.filename or str(options.out), found, fix) from None
    wanted = {(submission.learner.id, submission.task) for submission in selected}
    outcomes = Counter(row.outcome for row in rows if (row.learner.id, row.task) in wanted)
    counts = [f"{outcomes[name]} {name}" for name in ("passed", "failed", "ungradable")]
    print(f"{_count(len(selected))}: {', '.join(counts)}")
    for line in _list_files(options.out, written):
        print(line)
    return not outcomes["ungradable"]


def _list_files(out: Path, files: Sequence[Path]) -> Iterator[str]:
    """Yield each file, and each folder below `out` with the number of its files."""
    folders = Counter(out / file.relative_to(out).parts[0] for file in files if file.parent != out)
    yield from (str(file) for file in files if file.parent == out)
    yield from (f"{folder} ({count} files)" for folder, count in folders.items())


def _select(options: Options, submissions: Sequence[Submission]) -> list[Submission]:
    """Return the submissions to grade; raise `UserError` if there are none."""
    if not submissions:
        found = f"no submissions for {', '.join(options.tasks)}"
        fix = "Give each learner a folder there; --dry-run shows what is found"
        raise UserError(str(options.folder), found, fix)
    chosen = [s for s in submissions if options.only in {"", s.learner.id}]
    if not chosen:
        import difflib

        ids = sorted({submission.learner.id for submission in submissions})
        near = difflib.get_close_matches(options.only, ids, n=1)
        fix = f"Did you mean {near[0]}?" if near else "See the ids with --dry-run"
        raise UserError(f"--only {options.only}", "no such learner", fix)
    return chosen


def _check_folders(options: Options) -> None:
    """Raise `UserError` if the marks would be among the submissions, or the other way round."""
    folder, out = options.folder.resolve(), options.out.resolve()
    if not folder.exists():
        found = "there is no such folder"
        raise UserError(str(options.folder), found, "Name the folder that holds the submissions")
    if folder == out or folder in out.parents:
        found = "it is inside the folder of submissions"
        raise UserError(f"--out {options.out}", found, "Choose a folder outside of it")
