"""Finds the submissions of a class in a folder or archive of any usual shape."""

from __future__ import annotations

import os
import stat
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from workshop.cohort import archives, entries, location, platforms
from workshop.cohort import roster as rosters
from workshop.cohort.archive_entries import CLASS
from workshop.cohort.search import Search, writing
from workshop.core.errors import UserError
from workshop.core.sanitise import plain
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from workshop.cohort.entries import Item
    from workshop.cohort.submission import Refused, Submission

ALL = "all"
_COLUMNS = 80
_MAX_SHOWN = 3
_SHAPE = "Expected a folder or an archive for each learner, or the download of a platform"


class Intake(NamedTuple):
    """The submissions of a class, what is refused, and the names of what is no learner's."""

    submissions: tuple[Submission, ...]
    refused: tuple[Refused, ...]
    ignored: tuple[str, ...] = ()


def find(
    folder: Path, tasks: Sequence[str], *, roster: Path | None = None, workdir: Path
) -> Intake:
    """Return the submissions for some tasks, or "all", in a folder or an archive.

    Archives are extracted below `workdir`. Nothing in `folder` is changed or executed. Raises
    `UserError` if the folder or the roster cannot be used.
    """
    names = _resolve(tasks)
    listed = rosters.read(roster) if roster else None
    try:
        top, origin = _open(folder, workdir)
        skipped = [workdir, *([roster] if roster else [])]
        found = entries.read(top, origin, listed, [_absolute(path, top) for path in skipped])
    except OSError as error:
        raise UserError(str(folder), error.strerror or "it cannot be read", _SHAPE) from None
    _check_is_class(found, top, folder, names)
    if listed:
        found = _assign(found, top, origin, listed)
    origins = Counter(item.origin for item in found.items)
    search = Search(names, workdir, {origin for origin, number in origins.items() if number > 1})
    by_learner: defaultdict[str, list[Item]] = defaultdict(list)
    for item in found.items:
        by_learner[item.learner.id].append(item)
    for identity in sorted(by_learner):
        search.add(by_learner[identity])
    refused = (*found.refused, *search.refused)
    return Intake(tuple(search.submissions), refused, tuple(found.ignored))


def _resolve(tasks: Sequence[str]) -> tuple[str, ...]:
    if ALL in tasks:
        return tuple(course.TASKS)
    for name in tasks:
        course.reference(name)
    if not tasks:
        raise UserError("the task", "none is named", "Name a task, or all")
    return tuple(dict.fromkeys(tasks))


def _open(folder: Path, workdir: Path) -> tuple[Path, str]:
    """Return the folder that has an entry for each learner, and its name for messages."""
    try:
        mode = folder.stat().st_mode
    except OSError as error:
        raise UserError(str(folder), error.strerror or "it cannot be read", _SHAPE) from None
    top = folder
    if not stat.S_ISDIR(mode):
        if not stat.S_ISREG(mode) or not archives.is_archive(folder.name):
            raise UserError(str(folder), "neither a folder nor an archive", _SHAPE)
        top = workdir / "download"
        with writing(workdir):
            refused = archives.extract(folder, top, str(folder), CLASS)
        if refused:
            raise UserError(*refused)
    inner = entries.unwrap(top, is_archive=top != folder)
    return inner, str(folder) if inner == top else f"{folder}/{inner.name}"


def _absolute(path: Path, top: Path) -> Path:
    """Return a path as one below `top`, if it is, so that it equals the paths listed there."""
    absolute, around = path.resolve(), top.resolve()
    return top / absolute.relative_to(around) if absolute.is_relative_to(around) else absolute


def _check_is_class(found: entries.Entries, top: Path, folder: Path, names: Sequence[str]) -> None:
    for name in names:
        file = location.main_file(name)
        if os.path.lexists(top / file):
            fix = f"Name the folder around it, or use: workshop check {name} {folder}"
            raise UserError(str(folder), f"it has {file}: the submission of one learner", fix)
    if not found.items and not found.refused:
        raise UserError(str(folder), "no submissions in it", _SHAPE)


def _assign(
    found: entries.Entries, top: Path, origin: str, roster: rosters.Roster
) -> entries.Entries:
    assigned = entries.assign(found, top, origin, roster)
    if not assigned.items:
        ids = [item.learner.id for item in found.items[:_MAX_SHOWN]]
        problem = f"it names none of the {len(found.items)} submissions, such as {', '.join(ids)}"
        raise UserError(roster.origin, problem, "Correct the ids, or add a column path")
    return assigned


# ---- the dry run


def describe(intake: Intake) -> Iterator[str]:
    """Yield lines of at most 80 columns: what was recognised, and what was not and why."""
    learners = _by_learner(intake.submissions)
    tasks = _count(len({submission.task for submission in intake.submissions}), "task")
    number = _count(len(intake.submissions), "submission")
    yield f"{number} of {_count(len(learners), 'learner')} for {tasks}"
    for submissions in learners.values():
        yield from _describe_learner(submissions)
    if intake.refused:
        yield ""
        yield f"Not recognised: {len(intake.refused)}"
        for refused in intake.refused:
            yield from _wrap(f"{refused.origin}: {refused.found}. {refused.fix}.")
    if intake.ignored:
        yield ""
        yield from _wrap(f"Ignored: {', '.join(intake.ignored)}", "")


def _by_learner(submissions: Sequence[Submission]) -> Mapping[str, list[Submission]]:
    found: dict[str, list[Submission]] = {}
    for submission in submissions:
        found.setdefault(submission.learner.id, []).append(submission)
    return found


def _describe_learner(submissions: Sequence[Submission]) -> Iterator[str]:
    """Yield the learner, and for each folder its tasks, and what is missing."""
    learner = submissions[0].learner
    label = f"{learner.id} ({learner.name})" if learner.name not in {"", learner.id} else learner.id
    by_origin: dict[str, list[Submission]] = {}
    for submission in submissions:
        by_origin.setdefault(submission.origin, []).append(submission)
    for origin, group in by_origin.items():
        names = ", ".join(submission.task for submission in group)
        yield from _wrap(f"{label}: {names} in {origin}{_describe_time(group[0])}")
        for submission in group:
            file = location.main_file(submission.task)
            if not os.path.lexists(submission.folder / file):
                yield from _wrap(f"no {file}: {submission.task} will fail", "      ")


def _describe_time(submission: Submission) -> str:
    if not submission.handed_in:
        return ""
    is_late = submission.handed_in == platforms.LATE
    return ", handed in late" if is_late else f", handed in {submission.handed_in}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _wrap(text: str, indent: str = "  ") -> list[str]:
    import textwrap  # noqa: PLC0415 - only the dry run prints

    return textwrap.wrap(
        plain(text),
        _COLUMNS,
        initial_indent=indent,
        subsequent_indent=f"{indent}    ",
        break_on_hyphens=False,
    )
