"""The command `grade`, which grades a whole class."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from workshop.cohort import intake, overrides
from workshop.cohort.display import Display
from workshop.cohort.exports import write_all
from workshop.cohort.local_engine import LocalEngine
from workshop.cohort.run import grade_all, judge_again, plan
from workshop.cohort.store import Store
from workshop.core.errors import UserError
from workshop.core.paths import cache_folder
from workshop.core.process import SubprocessRunner, temporary_folder
from workshop.core.progress import COLUMNS, print_plain
from workshop.core.sanitise import plain
from workshop.engine import Engine
from workshop.grading import cleanup, isolation
from workshop.grading.cache import Cache
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from workshop.cohort.cluster import Cluster
    from workshop.cohort.run import Job
    from workshop.cohort.submission import Submission

    GetRunner = Callable[[], SubprocessRunner]

ALL = "all"


class Options(NamedTuple):
    """What to grade: the folder of submissions, the tasks, and the folder for the marks.

    `only` names a learner, or is empty; `jobs` is the number of submissions that each engine grades
    at once. With `isolated`, every limit of a submission must hold. `scheduler` is the address of
    a Dask cluster, whose workers then grade instead of the engine of this machine.
    """

    folder: Path
    tasks: tuple[str, ...]
    out: Path
    roster: Path | None = None
    only: str = ""
    fresh: bool = False
    isolated: bool = False
    jobs: int = 0
    scheduler: str = ""


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

    console = Console(stderr=True)
    tasks = tuple(dict.fromkeys(submission.task for submission in submissions))

    def report(line: str) -> None:
        print_plain(console, _wrap(line))

    with _open_engines(options, tasks, run, report) as engines:
        keys = engines.keys
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
        if jobs:
            _try_limits(engines, options)
        display = Display(console, len(jobs))
        try:
            with display, engines.open(display.line) as workers:
                grade_all(store, jobs, workers, watcher=display)
        except BaseException:
            left, how = len(plan(store, chosen)), " without --fresh" if options.fresh else ""
            print(f"Stopped: {left} of {len(jobs)} are left. Run the same command{how} to go on.")
            raise


@contextlib.contextmanager
def _open_engines(
    options: Options, tasks: Sequence[str], run: SubprocessRunner, report: Callable[[str], None]
) -> Iterator[LocalEngine | Cluster]:
    """Yield the engines to grade on; `report` gets a line about what is wrong with one."""
    if not options.scheduler:
        yield LocalEngine(run, Cache(cache_folder()), options.jobs, report)
        return
    from workshop.cohort.cluster import Cluster

    with Cluster(options.scheduler, tasks, options.jobs, report) as cluster:
        yield cluster


def _try_limits(engines: LocalEngine | Cluster, options: Options) -> None:
    """Try which limits hold, and write them beside the marks."""
    held = engines.try_limits(required=options.isolated, again=options.fresh)
    isolation.write(held, options.out)
    if all(held.values()):
        print(f"Submissions are contained: {len(held)} of {len(held)} limits hold")


def _clean_up(run: SubprocessRunner) -> None:
    cleanup.remove_stale(Cache(cache_folder()).runs, Engine(run))


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
