"""Writes the files of an export: each one whole or not at all, under a safe name."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from workshop.cohort.row import Row

LONGEST_NAME = 50  # characters, each of which has up to 4 bytes of the 255 that a name may have
_UNSAFE = re.compile(r"[^\w.@+-]+")
# Windows gives these names to devices, with any suffix.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)

# An id that looks like a name with a digest could be the name of somebody else.
_DIGEST = re.compile(r"-[0-9a-f]{10}$")


def write_text(path: Path, text: str) -> Path:
    """Write a file in UTF-8 with LF line endings; an interruption leaves the old file."""
    return write_pieces(path, (text,))


def write_pieces(path: Path, pieces: Iterable[str]) -> Path:
    """Write a file piece by piece, so that it never is in memory as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("w", encoding="utf-8", newline="\n", errors="replace") as file:
            file.writelines(pieces)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def format_json(value: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    """Format JSON so that it is easy to read and to compare."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def write_csv(path: Path, table: Iterable[Sequence[object]]) -> Path:
    """Write a table. Its cells must be safe already."""
    return write_pieces(path, map(_csv_line, table))


def _csv_line(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def remove_others(folder: Path, pattern: str, written: Iterable[Path]) -> None:
    """Remove the files of an earlier export that the present one did not write."""
    kept = set(written)
    for path in folder.glob(pattern):
        if path not in kept and path.is_file():
            path.unlink()
            if path.parent != folder and not any(path.parent.iterdir()):
                path.parent.rmdir()


def file_names(learners: Iterable[str]) -> dict[str, str]:
    """Return a safe file name for the id of each learner.

    An id that is safe is its own name. Others get a part of their digest, so that no two are the
    same, not even where the file system ignores case.
    """
    safe = {id_: _safe(id_) for id_ in learners}
    uses = Counter(map(_fold, safe.values()))

    def is_unique(id_: str, name: str) -> bool:
        return name == id_ and uses[_fold(name)] == 1 and not _DIGEST.search(name)

    return {
        id_: name if is_unique(id_, name) else f"{name}-{_digest(id_)}"
        for id_, name in safe.items()
    }


def _safe(id_: str) -> str:
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", id_))[:LONGEST_NAME].strip(".-_ ")
    return f"_{name}" if not name or _DEVICE.fullmatch(name) else name


def _fold(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _digest(id_: str) -> str:
    return hashlib.sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()[:10]


def find_learners(rows: Sequence[Row]) -> dict[str, list[int]]:
    """Return the indices of the rows of each learner, in the order of their first row."""
    found: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        found.setdefault(row.learner.id, []).append(index)
    return found


def by_learner(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Yield the rows of one learner after the other. A store reads each row when it is needed."""
    for indices in find_learners(rows).values():
        yield [rows[index] for index in indices]


def tasks(rows: Iterable[Row]) -> list[str]:
    """Return the names of the tasks, in the order of their first row."""
    return list(dict.fromkeys(row.task for row in rows))


def write_for_learners(
    rows: Sequence[Row], folder: Path, pattern: str, format_rows: Callable[[list[Row]], str | None]
) -> list[Path]:
    """Write one file for each learner, and remove those of an earlier export.

    `pattern` is the path of the file below `folder`, with `*` for the learner. A learner for whom
    `format_rows` returns None gets no file.
    """
    learners = find_learners(rows)
    names = file_names(learners)
    written = []
    for id_, indices in learners.items():
        text = format_rows([rows[index] for index in indices])
        if text is not None:
            written.append(write_text(folder / pattern.replace("*", names[id_]), text))
    remove_others(folder, pattern, written)
    return written
