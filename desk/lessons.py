"""The lessons as the desk shows them: the pages of the site, and what their blocks can do."""

from __future__ import annotations

import posixpath
import re
import shlex
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from workshop.commands.exercises import EXERCISES
from workshop.core.errors import UserError
from workshop.core.paths import ROOT
from workshop.site import lessons, output
from workshop.site.blocks import CONSOLE, CTRL_C, EDIT, FILE
from workshop.site.build import SETTINGS, SITE
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from workshop.model import Task
    from workshop.site.blocks import Block, Command

_NAV = re.compile(
    r'^ +- (?:"(?P<quoted>[^"]+)"|(?P<plain>[^:]+)): (?P<page>[\w/-]+)\.md$', re.MULTILINE
)
_TAG = re.compile(
    r"docker\s+(?:buildx\s+)?build\s.*?(?:-t|--tag)[ =](?P<name>[\w./:-]+)", re.DOTALL
)
_NAME = re.compile(r"[\w-]+(/[\w-]+)*")
_ARTICLE = re.compile(r"<article.*</article>", re.DOTALL)
# What a prompt in a lesson stands for: the name before the colon is a container's id.
_PROMPT = re.compile(r"^(?P<user>[\w.-]+)@[\w.-]+:(?P<place>.*)$")
# Lines that stand for any number of lines, once all lines are one.
_WILDCARDS = re.compile(r"(?:(?:^| )\.\.\.)+(?: |$)")


class Lesson(NamedTuple):
    """A page of the course: its path in the site, its title, and its task or nothing."""

    name: str
    title: str
    task: str


@cache
def lessons_in_order() -> tuple[Lesson, ...]:
    """Return the first page and the lessons, in the order of the site."""
    tasks = {f"lessons/{course.task(name).lesson}": name for name in course.TASKS}
    found = _NAV.finditer((ROOT / SETTINGS).read_text(encoding="utf-8"))
    return tuple(
        Lesson(page["page"], page["quoted"] or page["plain"], tasks.get(page["page"], ""))
        for page in found
        if page["page"] == "index" or page["page"].startswith("lessons/")
    )


def find_lesson(name: str) -> Lesson:
    """Return a lesson by its name; raise `UserError` if there is none."""
    found = next((lesson for lesson in lessons_in_order() if lesson.name == name), None)
    if found is None:
        raise UserError("lesson", "there is no such lesson", "Choose one from the list")
    return found


def read_article(name: str) -> str:
    """Return the article of a page of the site, as HTML; raise `UserError` if there is none."""
    folder = "" if name == "index" else f"{name}/"
    try:
        if not _NAME.fullmatch(name):
            raise FileNotFoundError(name)
        text = (ROOT / SITE / folder / "index.html").read_text(encoding="utf-8")
    except OSError:
        raise UserError("page", "it is not in the course", "Choose a lesson") from None
    found = _ARTICLE.search(text)
    return found[0] if found else text


def warm_up() -> None:
    """Read what the first page of the desk needs, so that it is there at once."""
    _read(lessons_in_order()[0].name)


def folder_of(task: str) -> str:
    """Return the name of a task's folder in the exercises."""
    return course.reference(task).parent.name or task


def describe(lesson: Lesson, base: Path) -> dict[str, Any]:
    """Return a lesson for the page: its task, its folder, and its blocks in their order.

    The lesson's paths are relative to `base`. Every fenced block of the page is one item, so that
    the page can pair them with its own.
    """
    blocks = [block for block in _read(lesson.name) if block.kind != CTRL_C]
    folders = _find_folders(blocks)
    described = [_describe(block, at, base) for block, at in zip(blocks, folders, strict=True)]
    saved = (item["path"].split("/")[0] for item in described if item.get("path"))
    return {
        "name": lesson.name,
        "title": lesson.title,
        "folder": folder_of(lesson.task) if lesson.task else next(saved, ""),
        "task": _describe_task(course.task(lesson.task)) if lesson.task else None,
        "images": _find_images(blocks),
        "blocks": described,
    }


def _describe_task(task: Task) -> dict[str, Any]:
    folder = folder_of(task.name)
    return {
        "name": task.name,
        "title": task.title,
        "folder": folder,
        "answer": [f"{folder}/{file}" for file in task.answer],
        "checks": [
            {"id": check.id, "title": check.title, "max_points": check.points}
            for check in task.checks
        ],
    }


def edit(name: str, number: int, text: str) -> str:
    """Return what a file block makes of a file's `text`; raise `UserError` if it does not fit."""
    block = _block(name, number)
    if block.kind == FILE:
        return "\n".join(block.body).rstrip("\n") + "\n"
    try:
        return output.apply_edit(text, block.body)
    except ValueError:
        found = "the lines to change are not there exactly once"
        raise UserError(block.title, found, "Compare it with the lesson, and edit it") from None


def compare(name: str, number: int, step: int, lines: list[str]) -> dict[str, Any]:
    """Compare a command's last lines with those in the lesson, which may leave out any with `...`.

    `lines` is everything that the command printed. The answer has the lines that the lesson shows.
    """
    block = _block(name, number)
    shown = _steps(block.commands)[step][1]
    # A server that keeps running goes on to print, for example the requests of its health check.
    after = ("...",) if "keeps-running" in block.classes else ()
    # Another program's lines may come before it, and in a narrow terminal lines end elsewhere.
    matched = not shown or output.matches(("...", *shown, *after), lines)
    words = _WILDCARDS.sub("...", _words(("...", *shown, *after)))
    matched = matched or output.matches([words], [_words(lines)])
    return {"matched": matched, "expected": list(shown)}


def _words(lines: Iterable[str]) -> str:
    return " ".join(" ".join(lines).split())


@cache
def _read(name: str) -> tuple[Block, ...]:
    text = (lessons.DOCS / f"{name}.md").read_text(encoding="utf-8")
    return lessons.read(name, text).blocks


def _block(name: str, number: int) -> Block:
    blocks = [block for block in _read(find_lesson(name).name) if block.kind != CTRL_C]
    if not 0 <= number < len(blocks):
        raise UserError(name, "it has no such block", "Load the page again")
    return blocks[number]


def _find_folders(blocks: list[Block]) -> list[str]:
    """Return the folder in which each block starts, after the `cd` commands before it."""
    folder, found = "", []
    for block in blocks:
        found.append(folder)
        for command in block.commands:
            words = command.text.split()
            if len(words) == 2 and words[0] == "cd":  # noqa: PLR2004 - cd and its folder
                folder = posixpath.normpath(posixpath.join(folder, words[1])).removeprefix(".")
    return found


def _describe(block: Block, folder: str, base: Path) -> dict[str, Any]:
    """Return what the page needs of one block; a block that can do nothing has only its kind."""
    if block.kind == CONSOLE:
        place = str(base / folder)
        return {
            "kind": "run",
            "folder": place,
            "cd": f"cd {shlex.quote(place)}",
            "keeps_running": "keeps-running" in block.classes,
            "steps": [
                {"text": text, "prompt": prompt, "compares": shown not in {(), ("...",)}}
                for text, shown, prompt in _steps(block.commands)
            ],
        }
    path = posixpath.normpath(posixpath.join(folder, block.title))
    if block.kind in {FILE, EDIT} and path.startswith(f"{EXERCISES}/"):
        return {"kind": "save", "path": path.removeprefix(f"{EXERCISES}/")}
    return {"kind": block.kind}


def _steps(commands: tuple[Command, ...]) -> list[tuple[str, tuple[str, ...], str]]:
    """Return each line to type, the output below it, and a pattern of the prompt before it.

    The pattern is empty for the shell's own prompt.
    """
    found = []
    for command in commands:
        found.append((command.text, command.shown, ""))
        found += [(line.text, line.shown, _pattern(line.prompt)) for line in command.inner]
    return found


def _pattern(prompt: str) -> str:
    """Return a regular expression of a prompt, for Python and JavaScript, with any container id."""
    if not (parts := _PROMPT.match(prompt)):
        return f"^{re.escape(prompt)} ?$"
    return f"^{re.escape(parts['user'])}@[\\w.-]+:{re.escape(parts['place'])} ?$"


def _find_images(blocks: list[Block]) -> list[str]:
    """Return the names of the images that the lesson builds."""
    text = "\n".join(command.text for block in blocks for command in block.commands)
    return list(dict.fromkeys(found["name"] for found in _TAG.finditer(text)))
