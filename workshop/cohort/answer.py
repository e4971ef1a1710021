"""The files of an answer as they were graded: what the report shows, bounded in size."""

from __future__ import annotations

import json
import os
import stat
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from workshop.core.files import open_file
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from workshop.cohort.submission import Submission
    from workshop.model import Task

# Bytes of one file; a Dockerfile of the course has about 1,000.
MAX_BYTES = 64_000
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class AnswerFile(NamedTuple):
    """A file of an answer. `remark` says what `text` lacks, and is empty if it lacks nothing."""

    name: str
    text: str
    remark: str = ""


def read(submission: Submission) -> tuple[AnswerFile, ...]:
    """Read the files that the task asks for, and the ignore files beside them.

    Links are not followed. Of a large file the start is read; of a binary one, nothing.
    """
    task = course.task(submission.task)
    asked = [_read(submission.folder, name) for name in task.answer]
    others = [
        _read(submission.folder, name)
        for name in _ignore_files(task)
        if name not in task.answer and os.path.lexists(submission.folder / name)
    ]
    return tuple(asked + others)


def pack(files: Iterable[AnswerFile]) -> bytes:
    """Return the files as compressed JSON."""
    return zlib.compress(json.dumps(list(files)).encode())


def unpack(packed: bytes) -> tuple[AnswerFile, ...]:
    """Return the files that `pack` has packed."""
    return tuple(AnswerFile(*file) for file in json.loads(zlib.decompress(packed)))


def _ignore_files(task: Task) -> Iterator[str]:
    contexts = dict.fromkeys(recipe.context for recipe in task.recipes)
    yield from (str(PurePosixPath(context) / ".dockerignore") for context in contexts)
    named = dict.fromkeys((recipe.context, recipe.dockerfile) for recipe in task.recipes)
    yield from (str(PurePosixPath(context) / f"{file}.dockerignore") for context, file in named)


def _read(folder: Path, name: str) -> AnswerFile:
    path = folder / name
    try:
        info = path.lstat()
        if stat.S_ISLNK(info.st_mode):
            return AnswerFile(name, "", "a link, which is not followed")
        if not stat.S_ISREG(info.st_mode):
            is_folder = stat.S_ISDIR(info.st_mode)
            return AnswerFile(name, "", "a folder" if is_folder else "not a regular file")
        content = _read_start(path)
    except FileNotFoundError:
        return AnswerFile(name, "", "missing")
    except OSError as error:
        return AnswerFile(name, "", error.strerror or "it cannot be read")
    return _decode(name, content, info.st_size)


def _read_start(path: Path) -> bytes:
    """Read at most `MAX_BYTES`; a link or a FIFO that has replaced the file is not read."""
    with open_file(path) as file:
        return file.read(MAX_BYTES)


def _decode(name: str, content: bytes, size: int) -> AnswerFile:
    encoding = "utf-16" if content[:2] in _UTF_16 else "utf-8-sig"
    if encoding != "utf-16" and b"\0" in content:
        return AnswerFile(name, "", f"a binary file of {size:,} bytes")
    is_whole = size <= len(content)
    remark = "" if is_whole else f"the first {MAX_BYTES // 1000} of its {size // 1000:,} kB"
    return AnswerFile(name, content.decode(encoding, errors="replace"), remark)
