"""Tells which files and folders of a download belong to which learner."""

from __future__ import annotations

import os
import stat
import unicodedata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from workshop.cohort import archives, commits, platforms
from workshop.cohort.location import EXERCISES
from workshop.cohort.submission import Learner, Refused
from workshop.core.paths import is_local
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from workshop.cohort.roster import Entry, Roster

# Made by operating systems, and by this tool.
_JUNK = {"__macosx", "desktop.ini", "thumbs.db"}
_MARKS = "marks.sqlite"
# Documents beside the submissions, such as a README or the scores of a platform.
_DOCUMENTS = {
    *(".md", ".rst", ".txt", ".csv", ".tsv", ".json", ".yml", ".yaml", ".toml", ".ini"),
    *(".html", ".pdf", ".xlsx", ".ods", ".log"),
}
_UNSAFE = {"Cc", "Cs", "Zl", "Zp"}
_LINK_FIX = "Replace it with the folder that it leads to"
# What was found, and the fix.
OTHER_ARCHIVE = (
    "an archive that is neither .zip, .tar nor .tar.gz",
    "Unpack it into a folder, or ask for a .zip file",
)


class Item(NamedTuple):
    """A file or folder that a learner handed in. `file` is the learner's name of a file."""

    learner: Learner
    path: Path
    origin: str
    file: str = ""
    handed_in: str = ""


class Entries(NamedTuple):
    """What a folder of submissions holds; `ignored` names what belongs to no learner."""

    items: list[Item]
    refused: list[Refused]
    ignored: list[str]


def read(top: Path, origin: str, roster: Roster | None, skipped: Collection[Path]) -> Entries:
    """Return what each learner handed in; `skipped` paths are ignored.

    Raises `OSError` if the folder cannot be read, `UserError` for a broken Gradescope export.
    """
    found = Entries([], [], [])
    handed = platforms.read_gradescope(top)
    with os.scandir(top) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    repositories = [entry.name for entry in ordered if _is_repository(entry)]
    usernames = platforms.read_usernames(
        repositories, top.resolve().name, roster.usernames if roster else ()
    )
    times = commits.read_times(top / name for name in repositories)
    checkouts = {
        name: Item(
            Learner(usernames[name]),
            top / name,
            f"{origin}/{name}",
            handed_in=times.get(top / name, ""),
        )
        for name in repositories
    }
    texts: list[Item] = []
    for entry in ordered:
        path, place = top / entry.name, f"{origin}/{entry.name}"
        if _is_ignored(entry, path, skipped):
            found.ignored.append(entry.name)
        elif problem := _find_problem(entry):
            found.refused.append(Refused(place, *problem))
        elif entry.name in handed:
            learners, time = handed[entry.name]
            found.items.extend(Item(learner, path, place, handed_in=time) for learner in learners)
        else:
            _add(entry, path, place, checkouts, (found.items, texts))
    _refuse_texts(texts, found)
    return found


def unwrap(top: Path, *, is_archive: bool) -> Path:
    """Return the folder in which a download is wrapped, if it holds nothing else.

    The folder is that of the only learner, unless it looks like a download. In the archive of a
    class, folders or archives alone look like those of the learners.
    """
    with os.scandir(top) as entries:
        left = [entry for entry in entries if not _is_ignored(entry, top / entry.name, ())]
    if len(left) != 1 or not left[0].is_dir(follow_symlinks=False):
        return top
    inner = top / left[0].name
    if platforms.parse_name(inner.name) or _is_repository(left[0]):
        return top
    if os.path.lexists(top / platforms.METADATA):
        return top
    is_wrapped = _is_download(inner) or (is_archive and _has_learners(inner))
    return inner if is_wrapped else top


def _is_download(folder: Path) -> bool:
    """Whether a folder has the entries of a platform's download."""
    with os.scandir(folder) as entries:
        return any(
            entry.name == platforms.METADATA
            or platforms.parse_name(entry.name)
            or _is_repository(entry)
            for entry in entries
        )


def _has_learners(folder: Path) -> bool:
    """Whether a folder holds several folders or archives alone, and no folder of a task."""
    with os.scandir(folder) as entries:
        left = [entry for entry in entries if not _is_ignored(entry, folder / entry.name, ())]
    names = {entry.name for entry in left}
    units = [entry for entry in left if entry.is_dir() or archives.is_archive(entry.name)]
    return len(left) > 1 and units == left and not names & _task_folders()


def _task_folders() -> set[str]:
    """Return the names of the folders in which learners work."""
    parts = {part for path in course.TASKS.values() for part in PurePosixPath(path).parts[:-1]}
    return {*parts, *course.TASKS, EXERCISES}


def _add(
    entry: os.DirEntry[str],
    path: Path,
    place: str,
    checkouts: Mapping[str, Item],
    to: tuple[list[Item], list[Item]],
) -> None:
    """Add an entry to the items, or to the texts that were typed into a platform."""
    is_file = not entry.is_dir()
    if named := platforms.parse_name(entry.name):
        file = named.file if is_file else ""
        to[named.is_text].append(Item(named.learner, path, place, file, named.handed_in))
    elif is_file:
        to[0].append(Item(Learner(archives.stem(entry.name)), path, place, entry.name))
    else:
        to[0].append(checkouts.get(entry.name) or Item(Learner(entry.name), path, place))


def _refuse_texts(texts: list[Item], found: Entries) -> None:
    """Refuse text that was typed into a platform, of learners who handed in no files."""
    known = {item.learner.id for item in found.items}
    for item in texts:
        if item.learner.id not in known:
            fix = "Ask the learner to upload the files"
            found.refused.append(Refused(item.origin, "text typed into the platform", fix))


def _is_repository(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False) and os.path.lexists(f"{entry.path}/.git")


def _is_ignored(entry: os.DirEntry[str], path: Path, skipped: Collection[Path]) -> bool:
    name = entry.name.lower()
    if name.startswith(".") or name in _JUNK or is_local(name):
        return True
    if any(other == path or path in other.parents for other in skipped):
        return True
    if entry.is_dir(follow_symlinks=False):
        return os.path.lexists(path / _MARKS)
    is_document = PurePosixPath(name).suffix in _DOCUMENTS or name in {"readme", "license"}
    return is_document and not platforms.parse_name(entry.name)


def _find_problem(entry: os.DirEntry[str]) -> tuple[str, str] | None:
    """Return why an entry is no submission, and the fix; None if it may be one."""
    if any(unicodedata.category(mark) in _UNSAFE for mark in entry.name):
        return "its name contains control characters, or is not UTF-8", "Rename it"
    if entry.is_symlink():
        return "a link", _LINK_FIX
    if entry.is_dir():
        return None
    if not stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
        return "neither a folder nor a file", "Delete it"
    return _find_file_problem(entry.name)


def _find_file_problem(name: str) -> tuple[str, str] | None:
    named = platforms.parse_name(name)
    if archives.is_other_archive(named.file if named else name):
        return OTHER_ARCHIVE
    if named or archives.is_archive(name):
        return None
    return "neither a folder nor an archive", "Put it into a folder named after its learner"


# ---- the roster


def assign(entries: Entries, top: Path, origin: str, roster: Roster) -> Entries:
    """Return the entries with the learners of a roster; what is on one side only is refused."""
    paths = _read_paths(top, origin, roster)
    refused = [*roster.refused, *paths.refused, *entries.refused]
    found = Entries([], refused, entries.ignored)
    seen: set[int] = set()
    for row, item in paths.items:
        seen.add(row.line)
        found.items.append(_rename(item, row))
    for item in entries.items:
        if paths.covers(item.path):
            continue
        match = roster.match(item.learner)
        if match and not match.path:
            seen.add(match.line)
            found.items.append(_rename(item, match))
        else:
            found.refused.append(_refuse_unknown(item, match, roster))
    found.refused.extend(_missing(roster, seen | paths.lines))
    return found


def _refuse_unknown(item: Item, row: Entry | None, roster: Roster) -> Refused:
    if row:
        found = f"the path of {item.learner.id} in {roster.place(row)} is another"
        return Refused(item.origin, found, "Correct one of both")
    found = f"{item.learner.id} is not in {roster.origin}"
    return Refused(item.origin, found, "Add a row with this id, or with this path")


class _Paths(NamedTuple):
    """What the paths of a roster name: `lines` are those of the rows that have one."""

    items: list[tuple[Entry, Item]]
    refused: list[Refused]
    lines: set[int]

    def covers(self, path: Path) -> bool:
        """Whether a row names this path, or one below."""
        return any(path == item.path or path in item.path.parents for _, item in self.items)


def _read_paths(top: Path, origin: str, roster: Roster) -> _Paths:
    found = _Paths([], [], set())
    for row in roster.entries:
        if not row.path:
            continue
        found.lines.add(row.line)
        parts = [part for part in row.path.split("/") if part not in {"", "."}]
        path = top.joinpath(*parts)
        if problem := _find_path_problem(row.path, parts, top):
            found.refused.append(Refused(roster.place(row), *problem))
            continue
        place = "/".join((origin, *parts))
        file = "" if path.is_dir() else path.name
        named = platforms.parse_name(path.name)
        time = named.handed_in if named else ""
        found.items.append((row, Item(row.learner, path, place, file, time or row.handed_in)))
    return found


def _find_path_problem(text: str, parts: list[str], top: Path) -> tuple[str, str] | None:
    if text.startswith("/") or ".." in parts or not parts:
        return f"the path {text} leaves the folder", f"Give a path below {top}"
    path = top
    for part in parts:
        path /= part
        if path.is_symlink():
            return f"{text} leads through a link", _LINK_FIX
    if not path.is_dir() and not path.is_file():
        return f"{text}: no such file or folder", "Correct the path, or delete the row"
    if path.is_file() and not archives.is_archive(path.name):
        return f"{text} is neither a folder nor an archive", "Put it into a folder"
    return None


def _rename(item: Item, row: Entry) -> Item:
    """Return an item with the id of the roster, and the other facts of either side.

    A time in the download comes first: it is that of the files.
    """
    name = row.learner.name or item.learner.name
    email = row.learner.email or item.learner.email
    learner = Learner(row.learner.id, name, email)
    return item._replace(learner=learner, handed_in=item.handed_in or row.handed_in)


def _missing(roster: Roster, seen: set[int]) -> Iterator[Refused]:
    for row in roster.entries:
        if row.line not in seen:
            name = f"{row.learner.name} ({row.learner.id})" if row.learner.name else row.learner.id
            fix = "If there is one, add its path to the row"
            yield Refused(roster.place(row), f"no submission of {name}", fix)
