"""Digests of what decides about a verdict: the grading code, and the files of the starter.

The full digest changes with any of them. The facts digest ignores what changes no outcome of a
check: its points and texts, comments and layout.
"""

from __future__ import annotations

import ast
import hashlib
import json
from functools import lru_cache
from typing import TYPE_CHECKING

from workshop.analysis import starter
from workshop.core.paths import ROOT
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

# Below `workshop/`.
_CODE = ("analysis", "checks", "grading", "tasks", "model.py")
# Arguments that change no outcome, by the function that they are passed to.
_TEXTS = {"points", "why", "hint", "lesson", "title"}
_IGNORED = {"check": _TEXTS, "_replace": {"points"}, "Task": {"already_met", "title", "lesson"}}


@lru_cache
def full_digest(task: str) -> str:
    """Return a digest that changes with the rubric of a task."""
    return _digest([_code_digest(_read), *_starter_digests(task)])


@lru_cache
def facts_digest(task: str) -> str:
    """Return a digest that changes if a check of a task may have another outcome."""
    return _digest([_code_digest(_read_outcomes), *_starter_digests(task)])


@lru_cache
def _code_digest(read: Callable[[Path], bytes]) -> str:
    parts = [ROOT / "workshop" / part for part in _CODE]
    files = [file for part in parts for file in (part.rglob("*") if part.is_dir() else [part])]
    code = sorted(file for file in files if file.is_file() and "__pycache__" not in file.parts)
    return _digest(_digests(code, read))


def _starter_digests(task: str) -> Iterator[str]:
    found = course.task(task)
    folder = ROOT / found.folder
    return _digests((folder / path for path in starter.files(found)), _read)


def _read(file: Path) -> bytes:
    return file.read_bytes()


def _read_outcomes(file: Path) -> bytes:
    """Return the code of a module without what changes no outcome; other files as they are."""
    content = file.read_bytes()
    if file.suffix != ".py":
        return content
    tree = ast.parse(content)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            ignored = _IGNORED.get(_name(node.func), set())
            node.keywords = [word for word in node.keywords if word.arg not in ignored]
    return ast.dump(tree).encode()


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _digests(files: Iterable[Path], read: Callable[[Path], bytes]) -> Iterator[str]:
    for file in files:
        yield file.relative_to(ROOT).as_posix()
        yield hashlib.sha256(read(file)).hexdigest()


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256(json.dumps([*parts]).encode()).hexdigest()
