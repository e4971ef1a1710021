"""Text files with Windows line endings, which break scripts in Linux containers."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from workshop.core.errors import UserError
from workshop.core.files import create_file, open_file
from workshop.core.paths import MAX_TEXT, walk
from workshop.machine.doctor.finding import Finding, Repair, State, ok

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from workshop.machine.doctor.subject import Subject

_FOLDERS = ("services", "exercises")
_WINDOWS_SCRIPTS = {".bat", ".cmd", ".ps1"}
_SHOWN = 3


def check_line_endings(subject: Subject) -> Iterator[Finding]:
    """Check the files that Docker or a container reads."""
    thing, wanted = "line endings", "LF"
    paths = find_windows_text(subject.root)
    if not paths:
        yield ok(thing, "LF", wanted)
        return
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    found = f"CRLF, of Windows, in {', '.join(paths[:_SHOWN])}{more}"
    fix = "Set your editor to LF, and save the files again"
    count = f"{len(paths)} file" + ("s" if len(paths) > 1 else "")
    action = f"Change the line endings of {count} to LF"
    repair = Repair(action, lambda: convert(subject.root, paths))
    yield Finding(thing, State.PROBLEM, found, wanted, fix, repair)


def find_windows_text(root: Path) -> list[str]:
    """Return the text files with a Windows line ending, by their path relative to `root`."""
    return [path for path in _candidates(root) if b"\r\n" in _read(root / path)]


def convert(root: Path, paths: Sequence[str]) -> None:
    """Change the line endings of files to LF; each is replaced completely or not at all."""
    for path in paths:
        file = root / path
        part = file.with_name(f"{file.name}.part")
        content = _read(file)
        if not content:
            continue  # it has changed, and is no text any longer
        try:
            mode = stat.S_IMODE(file.lstat().st_mode)
            with create_file(part, mode) as out:
                out.write(content.replace(b"\r\n", b"\n"))
            # The umask may have taken permissions away.
            part.chmod(mode)
            part.replace(file)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            fix = "Make it writable, then run this again"
            raise UserError(path, error.strerror or "it cannot be written", fix) from None


def _candidates(root: Path) -> Iterator[str]:
    for file in sorted(root.iterdir()):
        if file.name.startswith((".env", "docker-compose", "Makefile", "Taskfile")):
            yield file.name
    for folder in _FOLDERS:
        for path in walk(root / folder):
            if os.path.splitext(path)[1].lower() not in _WINDOWS_SCRIPTS:  # noqa: PTH122
                yield f"{folder}/{path}"
        # `walk` leaves out what belongs to one machine; containers read these all the same.
        for file in sorted((root / folder).glob("*/.env")):
            yield file.relative_to(root).as_posix()


def _read(file: Path) -> bytes:
    """Return the content of a text file; empty for anything else."""
    try:
        with open_file(file) as opened:
            content = opened.read(MAX_TEXT + 1)
    except OSError:
        return b""
    return b"" if b"\0" in content or len(content) > MAX_TEXT else content
