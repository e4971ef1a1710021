"""Lessons: pages of docs/, and the blocks in them that can be run and compared.

CONTRIBUTING.md says how a block is written. What is written otherwise is a `UserError` that names
the page and the line, so that no block is passed over in silence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from workshop.core.errors import UserError
from workshop.core.paths import ROOT, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

DOCS = ROOT / "docs"
CONSOLE, FILE, EDIT, TREE, SHOWN, DIAGRAM = "console", "file", "edit", "tree", "shown", "diagram"
OTHER_SHELL, NOT_RUN, CTRL_C = "other shell", "not run", "ctrl-c"
OTHER_SHELLS = ("powershell", "bat")
SHELLS = ("bash", "sh", "shell", "zsh", "doscon", "cmd", "pwsh", "shell-session")
NO_CLASSES = ("fails", "keeps-running", "not-run", "other-shell", "tree")

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,}) *(?P<info>[^`]*)$")
_CTRL_C = re.compile(r"^ *<!-- ctrl-c -->$")
_TITLE = re.compile(r'\btitle="([^"]*)"')
_INCLUDE = re.compile(r'^ *-+8<-+ "(?P<path>[^":]+)(?P<part>:[^"]*)?"$')
_INNER = re.compile(r"^(?P<prompt>[\w.-]+@[\w.-]+:[^\s#$]*[#$]|>>>)(?: (?P<said>.*))?$")


class Said(NamedTuple):
    """A line typed into a program that a command started, and what is shown below it."""

    line: int
    prompt: str
    text: str
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """What is typed at the `$`, what is shown below it, and what is typed into it then."""

    line: int
    text: str
    shown: tuple[str, ...]
    inner: tuple[Said, ...] = ()

    @property
    def compares(self) -> bool:
        """Whether anything is shown that it has to print."""
        return any(
            lines not in {(), ("...",)} for lines in (self.shown, *(s.shown for s in self.inner))
        )


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; `line` is that of its fence, counted from 1."""

    line: int
    kind: str
    language: str
    classes: frozenset[str]
    title: str
    body: tuple[str, ...]
    included: bool = False

    @property
    def commands(self) -> tuple[Command, ...]:
        """The commands of a console."""
        return tuple(_commands(self)) if self.kind == CONSOLE else ()

    @property
    def compared(self) -> bool:
        """Whether what it shows is compared with what there is."""
        return self.kind == TREE or any(command.compares for command in self.commands)


@dataclass(frozen=True)
class Page:
    """A page of docs/; its name is its path there, without the ending."""

    name: str
    blocks: tuple[Block, ...]

    @property
    def runs(self) -> bool:
        """Whether there is anything in it for a learner to do."""
        return any(block.kind in {CONSOLE, FILE, EDIT, TREE} for block in self.blocks)

    def count(self, kind: str) -> int:
        """How many of its blocks are of a kind."""
        return sum(block.kind == kind for block in self.blocks)


def pages(docs: Path = DOCS, root: Path = ROOT) -> list[Page]:
    """Every page that people wrote, by its name; those that are generated have nothing to run."""
    names = (path.relative_to(docs).with_suffix("").as_posix() for path in docs.rglob("*.md"))
    return [
        read(name, (docs / f"{name}.md").read_text(encoding="utf-8"), root)
        for name in sorted(names)
        if not name.startswith("reference/") and not name.endswith("TEMPLATE")
    ]


def read(name: str, text: str, root: Path = ROOT) -> Page:
    """A page, its included files put in from `root`."""
    return Page(name, tuple(_blocks(name, text.splitlines(), root)))


def page_error(page: str, line: int, found: str, fix: str) -> UserError:
    """A fault of a page, with its place."""
    return UserError(f"docs/{page}.md, line {line}", found, fix)


def _blocks(page: str, lines: list[str], root: Path) -> Iterator[Block]:
    """Every block of a page, in order; faults are raised where they stand."""
    numbers = iter(enumerate(lines, 1))
    for number, line in numbers:
        if _CTRL_C.match(line):
            yield Block(number, CTRL_C, "", frozenset(), "", ())
        if _INCLUDE.match(line):
            _expand(page, number, [line], root)
        if not (fence := _FENCE.match(line)):
            continue
        end = re.compile(rf"^ *{fence['fence']}{fence['fence'][0]}* *$")
        body = []
        for _, inside in numbers:
            if end.match(inside):
                break
            body.append(inside.removeprefix(fence["indent"]))
        else:
            raise page_error(page, number, "the block never ends", f"End it with {fence['fence']}")
        yield _block(page, number, fence["info"].strip(), body, root)


def _block(page: str, line: int, info: str, body: list[str], root: Path) -> Block:
    """One block, its kind told by how it is written."""
    found = _TITLE.search(info)
    title = found[1] if found else ""
    words = _TITLE.sub("", info).strip("{} ").replace(".", " ." if "{" in info else ".").split()
    language, *classes = (word.removeprefix(".") for word in words or [""])
    for name in classes:
        if name not in NO_CLASSES:
            raise page_error(page, line, f"no class .{name}", f"There are: {', '.join(NO_CLASSES)}")
    included = _included(body)
    text = _expand(page, line, body, root) if included else body
    raw = Block(line, "", language, frozenset(classes), title, tuple(text), bool(included))
    kind = _kind(page, raw, included)
    block = replace(raw, kind=kind)
    _check_console(page, block)
    return block


def _kind(page: str, block: Block, included: set[str]) -> str:
    """What a block is for."""
    if "not-run" in block.classes:
        if not block.title.startswith("Not run"):
            fix = 'The reader has to see it too: title="Not run by our tests: ..."'
            raise page_error(page, block.line, "it is not run, and does not say why", fix)
        return NOT_RUN
    if block.language in OTHER_SHELLS or "other-shell" in block.classes:
        return OTHER_SHELL
    if block.language in SHELLS:
        fix = "Write console and $ for what is typed, or powershell, or bat"
        raise page_error(page, block.line, f"nobody runs a block of {block.language}", fix)
    for kind, is_it in (
        (DIAGRAM, block.language == "mermaid"),
        (CONSOLE, block.language == "console"),
        (TREE, "tree" in block.classes),
        (EDIT, block.language == "diff" and block.title),
        (SHOWN, included and (not block.title or block.title in included)),
        (FILE, block.title),
    ):
        if is_it:
            return kind
    fix = 'Include a file, name the file that it is (title="..."), or say .not-run and why'
    raise page_error(page, block.line, "nobody can tell whether it is right", fix)


def _check_console(page: str, block: Block) -> None:
    """A console begins with a command; a tree and an edit name what they are of."""
    if block.kind == CONSOLE and not (block.body and block.body[0].startswith("$ ")):
        raise page_error(page, block.line, "it begins with no command", "Begin it with `$ `")
    if block.kind == TREE and not block.title:
        raise page_error(page, block.line, "it is the tree of no folder", 'Name it: title="..."')


def _included(body: Iterable[str]) -> set[str]:
    """The paths of the files that a block includes."""
    return {found["path"] for line in body if (found := _INCLUDE.match(line))}


def _expand(page: str, line: int, body: list[str], root: Path) -> list[str]:
    """The body with its included files in it, as the site's own extension does it."""
    from pymdownx.snippets import (  # type: ignore[import-untyped]  # noqa: PLC0415
        SnippetMissingError,
    )

    try:
        lines: list[str] = _snippets(root).run(body)
    except SnippetMissingError as error:
        fix = "Name a file of the repository, from its root, or a section that it has"
        raise page_error(page, line, str(error).rstrip("."), fix) from None
    return lines


@cache
def _snippets(root: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202 - pymdownx has no types
    """The preprocessor that the site includes files with."""
    from markdown import Markdown  # type: ignore[import-untyped]  # noqa: PLC0415

    options = {"base_path": [str(root)], "check_paths": True}
    made = Markdown(
        extensions=["pymdownx.snippets"], extension_configs={"pymdownx.snippets": options}
    )
    return made.preprocessors["snippet"]


def _commands(block: Block) -> Iterator[Command]:
    """The commands of a console, each with the lines below it."""
    starts = [n for n, line in enumerate(block.body) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(block.body)], strict=True):
        typed, rest = _typed(block.body[start:end])
        line = block.line + 1 + start
        marks = [n for n, text in enumerate(rest) if _INNER.match(text)]
        inner = [
            _said(line + len(typed) + first, rest[first:last])
            for first, last in zip(marks, [*marks[1:], len(rest)], strict=False)
        ]
        shown = _trimmed(rest[: marks[0]] if marks else rest)
        yield Command(line, "\n".join(typed), shown, tuple(inner))


def _typed(lines: tuple[str, ...]) -> tuple[list[str], tuple[str, ...]]:
    """The lines of a command without its prompts, and the lines below it."""
    typed = [lines[0].removeprefix("$ ")]
    rest = lines[1:]
    while rest and rest[0].startswith("> ") and ("<<" in typed[0] or typed[-1].endswith("\\")):
        typed.append(rest[0].removeprefix("> "))
        rest = rest[1:]
    return typed, rest


def _said(line: int, lines: tuple[str, ...]) -> Said:
    found = _INNER.match(lines[0])
    assert found is not None  # noqa: S101 - that is what it was chosen by
    return Said(line, found["prompt"], found["said"] or "", _trimmed(lines[1:]))


def _trimmed(lines: Iterable[str]) -> tuple[str, ...]:
    """The lines without the blanks at their ends, and without empty lines at the end of all."""
    return (
        tuple("\n".join(line.rstrip() for line in lines).rstrip().split("\n")) if any(lines) else ()
    )


def agrees(shown: Iterable[str], actual: Iterable[str]) -> bool:
    """Whether what is shown is what was seen.

    `...` stands for anything within a line; in a line of its own, for any lines, or none. Two
    blanks or more between words stand for two or more.
    """
    expected, found = list(_trimmed(shown)), list(_trimmed(actual))
    # The lines of `wanted` that may come next, after those of `found` so far.
    states = _skip(expected, {0})
    for line in found:
        after = set()
        for at in states:
            if at < len(expected):
                if expected[at].strip() == "...":
                    after.add(at)
                elif _pattern(expected[at]).fullmatch(line):
                    after.add(at + 1)
        states = _skip(expected, after)
    return len(expected) in states


def _skip(expected: list[str], states: set[int]) -> set[int]:
    """With each state, those that come after it where `...` stands for no line."""
    reached = set(states)
    for at in sorted(states):
        while at < len(expected) and expected[at].strip() == "...":
            at += 1  # noqa: PLW2901
            reached.add(at)
    return reached


@cache
def _pattern(line: str) -> re.Pattern[str]:
    """What a line agrees with; how wide the gaps of a table are depends on what is in it."""
    start = len(line) - len(line.lstrip())
    parts = [
        r" {2,}".join(map(re.escape, re.split(r" {2,}", p))) for p in line[start:].split("...")
    ]
    return re.compile(re.escape(line[:start]) + ".*".join(parts))


def tree(folder: Path) -> list[str]:
    """A folder as the program `tree` draws it, folders and files in one order."""
    return [f"{folder.name}/", *_branches(sorted(path.split("/") for path in walk(folder)), "")]


def _branches(paths: list[list[str]], before: str) -> Iterator[str]:
    names = list(dict.fromkeys(path[0] for path in paths))
    for name in names:
        last = name == names[-1]
        below = [path[1:] for path in paths if path[0] == name and len(path) > 1]
        yield f"{before}{'└── ' if last else '├── '}{name}{'/' if below else ''}"
        yield from _branches(below, before + ("    " if last else "│   "))


def edited(text: str, change: Iterable[str]) -> str:
    """A text after a change: lines with `-` go, lines with `+` come, the others are its place.

    The place has to be there once; a `ValueError` says otherwise.
    """
    lines = list(change)
    old = [line[1:] for line in lines if not line.startswith("+")]
    new = [line[1:] for line in lines if not line.startswith("-")]
    have = text.splitlines()
    places = [n for n in range(len(have) - len(old) + 1) if have[n : n + len(old)] == old]
    if len(places) != 1:
        raise ValueError(f"its place is there {len(places)} times")
    at = places[0]
    return "\n".join([*have[:at], *new, *have[at + len(old) :]]) + "\n"
