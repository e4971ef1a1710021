"""Finds the answer to each task in what a learner handed in: all of it may be in one folder."""

from __future__ import annotations

import functools
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis import starter
from workshop.core.files import open_file
from workshop.core.paths import ROOT
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workshop.cohort.listing import Listing
    from workshop.model import Task

# Folders around the one of a task, as in `repository/services/part-3/python-poetry`.
MAX_DEPTH = 5
EXERCISES = "exercises"
# Files that only a checkout of the kit has together.
_KIT = ("versions.toml", "workshop/cli.py")
_OWN, _UNCLEAR = 2, 1
_NAMED, _SIMILAR = 100, 1_000


class Place(NamedTuple):
    """A folder that may hold the answer to a task: below a listed folder, by its relative path."""

    listing: Listing
    folder: str

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.listing.folder / self.folder

    @property
    def depth(self) -> int:
        """The number of folders around it."""
        return self.folder.count("/") + 1 if self.folder else 0

    def has(self, file: str) -> bool:
        """Whether the folder has a file with this relative path."""
        return _join(self.folder, file) in self.listing.files


class Found(NamedTuple):
    """The place of each task's answer, and what is unclear: places by the tasks that fit them."""

    places: Mapping[str, Place]
    unclear: Mapping[tuple[str, ...], Sequence[Place]]


@functools.cache
def main_file(name: str) -> str:
    """Return the name of the file by which a task is recognised."""
    return course.reference(name).name


def locate(listings: Sequence[Listing], names: Sequence[str]) -> Found:
    """Find the answers to some tasks in the folders of one learner.

    Of several places, one in the exercises, one with the files of the task's starter, and one that
    is less deep come first. A `Dockerfile` is the answer to several tasks: the files beside it, the
    name of its folder and `names` decide.
    """
    candidates: dict[str, list[tuple[int, Place]]] = {name: [] for name in names}
    unclear: defaultdict[tuple[str, ...], list[Place]] = defaultdict(list)
    for place, rivals in _places(listings, {main_file(name) for name in names}):
        rank, tasks = _recognise(place, rivals, names)
        if len(tasks) > 1:
            unclear[tasks].append(place)
        for name in tasks if len(tasks) == 1 else ():
            if not _is_given(place, name):
                candidates[name].append((rank, place))
    places: dict[str, Place] = {}
    for name, ranked in candidates.items():
        best = _best(ranked)
        if len(best) == 1:
            places[name] = best[0]
        elif best:
            unclear[name,].extend(best)
    return Found(places, unclear)


def likely(listings: Sequence[Listing], name: str) -> Place:
    """Return where the answer to a task should be, although the file itself is missing."""
    scored = [
        (_similarity(place, files, name), -place.depth, place)
        for listing in listings
        for place, files in _folders(listing)
    ]
    best = max(scored, key=lambda row: row[:2], default=None)
    return best[2] if best and best[0] else _unwrap(listings[0])


def named(listings: Sequence[Listing], names: Sequence[str]) -> dict[str, Place]:
    """Return the folders that have the name of a task, but not its main file, by task.

    The learner meant each as the answer, which fails: `dockerfile` is not `Dockerfile`.
    """
    found: dict[str, Place] = {}
    for place, files in (row for listing in listings for row in _folders(listing)):
        name = place.folder.rpartition("/")[2]
        if name in names and files and not place.has(main_file(name)) and not _is_of_kit(place):
            found[name] = min(found.get(name, place), place, key=lambda one: one.depth)
    return found


def _places(
    listings: Sequence[Listing], mains: set[str]
) -> Iterator[tuple[Place, tuple[str, ...]]]:
    """Yield each folder with a main file, and the tasks that have a main file of that name."""
    for listing in listings:
        for path in listing.files:
            folder, _, file = path.rpartition("/")
            if file in mains and folder.count("/") < MAX_DEPTH:
                yield Place(listing, folder), _rivals(file)


@functools.cache
def _rivals(main: str) -> tuple[str, ...]:
    """Return the tasks whose main file has this name."""
    return tuple(name for name in course.TASKS if main_file(name) == main)


@functools.cache
def _task(name: str) -> Task:
    return course.task(name)


def _recognise(
    place: Place, rivals: Sequence[str], names: Sequence[str]
) -> tuple[int, tuple[str, ...]]:
    """Return how sure it is that a place belongs to one of the wanted tasks, and to which.

    Empty if it belongs to another task.
    """
    scores = {name: _evidence(place, name) if len(rivals) > 1 else 1 for name in rivals}
    highest = max(scores.values())
    fitting = [name for name in rivals if scores[name] == highest]
    rank = _OWN if highest and len(fitting) == 1 else _UNCLEAR
    return rank, tuple(name for name in fitting if name in names)


def _best(ranked: Sequence[tuple[int, Place]]) -> Sequence[Place]:
    """Return the best of the places of one task: several if they are equally good."""
    exercises = [row for row in ranked if EXERCISES in row[1].folder.split("/")]
    chosen = exercises or ranked
    highest = max((rank for rank, _ in chosen), default=0)
    places = [place for rank, place in chosen if rank == highest]
    least = min((place.depth for place in places), default=0)
    return [place for place in places if place.depth == least]


# ---- the files beside the answer


def _evidence(place: Place, name: str) -> int:
    """Return how much speaks for a task: the name of the folder, and the files beside."""
    task = _task(name)
    score = sum(place.has(file) for file in _starter_files(name))
    # Two tasks may have no starter; the other files of the answer tell them apart.
    others = [file for file in task.answer[1:] if not file.startswith(".")]
    score += bool(others) and all(place.has(file) for file in others)
    return score + (_NAMED if _is_named_after(place, task) else 0)


def _is_named_after(place: Place, task: Task) -> bool:
    name = place.folder.rpartition("/")[2]
    return name in {task.name, task.folder.rpartition("/")[2]}


@functools.cache
def _starter_files(name: str) -> frozenset[str]:
    """Return the files of a task's starter that no other task with the same main file has."""
    task = _task(name)
    rivals = [_task(other) for other in _rivals(main_file(name))]
    shared = {
        file for rival in rivals if rival.folder != task.folder for file in starter.files(rival)
    }
    return frozenset(starter.files(task)) - shared


def _similarity(place: Place, files: Sequence[str], name: str) -> int:
    """Return how much speaks for a folder with these files in which the main file is missing."""
    main = main_file(name).casefold()
    score = sum(place.has(file) for file in _starter_files(name))
    score += _SIMILAR if any(file.casefold() in {main, f"{main}.txt"} for file in files) else 0
    return score + (_NAMED if _is_named_after(place, _task(name)) else 0)


def _folders(listing: Listing) -> list[tuple[Place, Sequence[str]]]:
    """Return the folders that are at most `MAX_DEPTH` deep, with the names of their files."""
    found: dict[str, list[str]] = {"": []}
    for path in listing.files:
        *parents, file = path.split("/")
        for depth in range(1, min(len(parents), MAX_DEPTH) + 1):
            found.setdefault("/".join(parents[:depth]), [])
        if len(parents) <= MAX_DEPTH:
            found["/".join(parents)].append(file)
    return [(Place(listing, folder), found[folder]) for folder in sorted(found)]


def _unwrap(listing: Listing) -> Place:
    """Return the only folder in a folder that holds nothing else."""
    tops = {path.partition("/")[0] for path in listing.files}
    is_wrapped = len(tops) == 1 and all("/" in path for path in listing.files)
    return Place(listing, tops.pop() if is_wrapped else "")


# ---- files that the kit gave to the learner


def _is_of_kit(place: Place) -> bool:
    """Whether a folder is among the services of a checkout of the kit."""
    top, _, _ = f"{place.folder}/".partition("services/")
    return all(place.listing.files.get(f"{top}{file}") for file in _KIT)


def _is_given(place: Place, name: str) -> bool:
    """Whether an answer is the kit's own, in a checkout of the kit or in another task's starter."""
    reference = course.reference(name).as_posix()
    path = _join(place.folder, main_file(name))
    if path != reference and not path.endswith(f"/{reference}"):
        return False
    top = Place(place.listing, path.removesuffix(reference).rstrip("/"))
    is_kit = all(top.has(file) for file in _KIT)
    return (is_kit or _is_starter(top, reference)) and _is_same(place.listing, path, reference)


def _is_starter(top: Place, reference: str) -> bool:
    """Whether a folder holds the starter of one task that includes the answer to another."""
    for task in _tasks_with_answers():
        is_started = top.has(main_file(task.name)) or PurePosixPath(top.folder).name == task.name
        if is_started and any(reference.startswith(f"{part}/") for part in task.only):
            services = top.listing.below(_join(top.folder, "services"))
            parts = tuple(f"{part.removeprefix('services/')}/" for part in task.only)
            return all(path.startswith(parts) for path in services)
    return False


@functools.cache
def _tasks_with_answers() -> tuple[Task, ...]:
    """Return the tasks whose starter has the answers of other tasks: those of compose files."""
    loaded = (course.task(name) for name in course.TASKS if main_file(name).endswith(".yml"))
    return tuple(task for task in loaded if task.only)


def _is_same(listing: Listing, path: str, reference: str) -> bool:
    """Whether a file has the content of the kit's own; only a file of the same size is read."""
    own = ROOT / reference
    try:
        if listing.files[path].st_size != own.stat().st_size:
            return False
        with open_file(listing.folder / path) as file:
            return file.read(own.stat().st_size + 1) == own.read_bytes()
    except OSError:
        return False


def _join(folder: str, file: str) -> str:
    return f"{folder}/{file}" if folder else file
