"""Finds the answers in what each learner handed in: folders, archives and single files."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from typing import TYPE_CHECKING

from workshop.analysis import starter
from workshop.cohort import archives, entries, listing, location
from workshop.cohort.submission import Refused, Submission
from workshop.core.errors import UserError
from workshop.grading.build_context import MAX_BYTES
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from workshop.cohort.entries import Item
    from workshop.cohort.listing import Listing
    from workshop.cohort.location import Place
    from workshop.cohort.submission import Learner

# Archives in the folder of one learner that are extracted.
_MAX_INNER = 10
_MAX_SHOWN = 3
# In bytes; a file name has at most 255, with a suffix.
_MAX_ID = 200
# Canvas adds a number to the name of a file that was handed in again.
_REPEATED = re.compile(r"(.+)-\d+(\.[^.]+)?")


class Search:
    """Finds the submissions of one learner after the other."""

    def __init__(self, names: Sequence[str], workdir: Path, shared: Collection[str] = ()) -> None:
        self.names, self.workdir, self._shared = tuple(names), workdir, shared
        self.submissions: list[Submission] = []
        # In order; several members of a team, or several tasks, share one folder.
        self.refused: dict[Refused, None] = {}
        # By origin. The members of a team share a folder, which is in `shared`.
        self._listings: dict[str, Listing | None] = {}
        self._digests: dict[tuple[Path, str], str] = {}
        self._items: dict[Path, Item] = {}
        self._is_refused = False

    def add(self, items: Sequence[Item]) -> None:
        """Find the submissions among the items of one learner."""
        self._is_refused = False
        if not _is_file_name(items[0].learner.id):
            problem = f"the id {items[0].learner.id[:_MAX_ID]} cannot be the name of a file"
            self._refuse(items[0], problem, "Give the learner another id in a roster")
            return
        listings = self._list(items)
        if not listings:
            return
        found = location.locate(listings, self.names)
        if not found.places and (inner := self._list_inner(listings)):
            listings += inner
            found = location.locate(listings, self.names)
        places = dict(found.places)
        for tasks, unclear in found.unclear.items():
            self._refuse_unclear([name for name in tasks if name not in places], unclear)
        if len(self.names) > 1:
            settled = {*places, *(name for tasks in found.unclear for name in tasks)}
            places |= location.named(listings, [n for n in self.names if n not in settled])
        if not places and not self._is_refused:
            places = self._guess(items[0], listings)
        for name in self.names:
            if name in places:
                self._submit(items[0].learner, name, places[name])
        if not any(item.origin in self._shared for item in items):
            self._forget()

    def _forget(self) -> None:
        """Free the memory for the files of a learner: a class has many."""
        self._listings.clear()
        self._digests.clear()
        self._items.clear()

    def _guess(self, item: Item, listings: Sequence[Listing]) -> dict[str, Place]:
        """Return where the answer to the only task should be: it is missing, and fails."""
        if not any(listed.files for listed in listings):
            self._refuse(item, "no files", "Ask the learner to hand in again")
        elif len(self.names) == 1:
            return {self.names[0]: location.likely(listings, self.names[0])}
        else:
            found = f"no answer to any of the {len(self.names)} tasks"
            self._refuse(item, found, "Name one task to grade it all the same")
        return {}

    def _submit(self, learner: Learner, name: str, place: Place) -> None:
        item, origin = self._items[place.listing.folder], self._origin(place)
        try:
            digest = self._digest(place)
        except listing.Unlisted as error:
            self._note(Refused(origin, error.found, error.fix))
            return
        submission = Submission(learner, name, place.path, digest, origin, item.handed_in)
        self.submissions.append(submission)

    def _digest(self, place: Place) -> str:
        key = place.listing.folder, place.folder
        if key not in self._digests:
            self._digests[key] = listing.digest(place.listing, place.folder)
        return self._digests[key]

    def _origin(self, place: Place) -> str:
        origin = self._items[place.listing.folder].origin
        return f"{origin}/{place.folder}" if place.folder else origin

    # ---- listings

    def _list(self, items: Sequence[Item]) -> list[Listing]:
        """List the folders, the contents of the archives, and the single files of a learner."""
        files = [item for item in items if item.file and not archives.is_archive(item.file)]
        others = [item for item in items if item not in files]
        found = [self._list_one(item) for item in others]
        if files:
            found.append(self._list_files(files))
        return [listed for listed in found if listed]

    def _list_one(self, item: Item) -> Listing | None:
        if item.origin not in self._listings:
            folder = self._extract(item) if item.file else item.path
            listed = self._read(folder, item) if folder else None
            self._listings[item.origin] = listed
        listed = self._listings[item.origin]
        self._is_refused |= listed is None
        return listed

    def _read(self, folder: Path, item: Item) -> Listing | None:
        try:
            listed = listing.read(folder)
        except listing.Unlisted as error:
            self._refuse(item, error.found, error.fix)
            return None
        self._items[folder] = item
        return listed

    def _extract(self, item: Item) -> Path | None:
        target = self._target(item.origin)
        with writing(self.workdir):
            refused = archives.extract(item.path, target, item.origin)
        if refused:
            self._note(refused)
        return None if refused else target

    def _target(self, origin: str) -> Path:
        name = hashlib.sha256(os.fsencode(origin)).hexdigest()[:16]
        return self.workdir / "extracted" / name

    def _list_inner(self, listings: Sequence[Listing]) -> list[Listing]:
        """List the archives in a learner's folders; archives in archives stay files."""
        found: list[Listing | None] = []
        for listed in listings:
            outer = self._items[listed.folder]
            for path in () if outer.file else listed.files:
                if path.count("/") > 1 or len(found) == _MAX_INNER:
                    continue
                item = outer._replace(
                    path=listed.folder / path, origin=f"{outer.origin}/{path}", file=path
                )
                if archives.is_archive(path):
                    found.append(self._list_one(item))
                elif archives.is_other_archive(path):
                    self._refuse(item, *entries.OTHER_ARCHIVE)
        return [listed for listed in found if listed]

    def _list_files(self, items: Sequence[Item]) -> Listing | None:
        """Copy files that were handed in one by one into a folder with the learner's names."""
        target = self._target(items[0].origin)
        shutil.rmtree(target, ignore_errors=True)
        with writing(self.workdir):
            target.mkdir(parents=True)
        for item in items:
            self._copy(item, target / self._own_name(item.file))
        late = next((item for item in items if item.handed_in), items[0])
        return self._read(target, items[0]._replace(handed_in=late.handed_in))

    def _copy(self, item: Item, target: Path) -> None:
        if "/" in item.file or item.file in {".", ".."}:
            self._refuse(item, "a name that is none of a file", "Rename it")
        elif item.path.lstat().st_size > MAX_BYTES:
            self._refuse(item, f"more than {MAX_BYTES // 1_000_000} MB", "Ask for a smaller file")
        elif target.exists():
            self._refuse(item, f"a second {target.name}", "Delete one of both files")
        else:
            with writing(self.workdir):
                shutil.copyfile(item.path, target, follow_symlinks=False)

    def _own_name(self, file: str) -> str:
        """Return the name that the learner gave to a file, without the number of Canvas."""
        match = _REPEATED.fullmatch(file)
        original = f"{match[1]}{match[2] or ''}" if match else file
        known = {
            path.rpartition("/")[2]
            for task in map(course.task, self.names)
            for path in (*task.answer, *starter.files(task))
        }
        return original if file not in known and original in known else file

    # ---- refusals

    def _refuse(self, item: Item, found: str, fix: str) -> None:
        self._note(Refused(item.origin, found, fix))

    def _note(self, refused: Refused) -> None:
        self._is_refused = True
        self.refused.setdefault(refused)

    def _refuse_unclear(self, tasks: Sequence[str], places: Sequence[Place]) -> None:
        if not tasks:
            return
        file = location.main_file(tasks[0])
        origin = self._origin(places[0])
        if len(tasks) == 1:
            others = [self._origin(place) for place in places[1:]]
            found = f"it has {file} for {tasks[0]}, and so has {_enumerate(others)}"
            self._note(Refused(origin, found, "Delete or rename all but one"))
            return
        for place in places[:_MAX_SHOWN]:
            found = f"it has {file}, which fits {_enumerate(tasks)}"
            fix = "Rename the folder to the task's name, or grade one of these tasks at a time"
            self._note(Refused(self._origin(place), found, fix))


def _is_file_name(identity: str) -> bool:
    """Whether an id can name the files of a learner, such as the feedback."""
    is_path = "/" in identity or identity in {"", ".", ".."}
    return not is_path and len(identity.encode()) <= _MAX_ID and identity.isprintable()


def _enumerate(names: Sequence[str]) -> str:
    shown = [*names[:_MAX_SHOWN]]
    if len(names) > _MAX_SHOWN:
        shown.append(f"{len(names) - _MAX_SHOWN} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


class writing:  # noqa: N801 - reads as a function
    """Turns an error of writing below a folder into one line."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            fix = "Free some space, or name another folder"
            found = error.strerror or "it cannot be written"
            raise UserError(str(self._folder), found, fix) from None
