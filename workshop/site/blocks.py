"""The fenced blocks of a lesson, and the commands in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from workshop.site.output import trim_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

CONSOLE, FILE, EDIT, TREE, SHOWN, DIAGRAM = "console", "file", "edit", "tree", "shown", "diagram"
OTHER_SHELL, NOT_RUN, CTRL_C = "other shell", "not run", "ctrl-c"

_PROMPT = re.compile(r"^(?P<prompt>[\w.-]+@[\w.-]+:[^\s#$]*[#$]|>>>)(?: (?P<text>.*))?$")


class InnerCommand(NamedTuple):
    """A line typed into a program that a command started, and the output below it."""

    line: int
    prompt: str
    text: str
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """A command after `$`, the output below it, and the lines typed into the program."""

    line: int
    text: str
    shown: tuple[str, ...]
    inner: tuple[InnerCommand, ...] = ()

    @property
    def compares(self) -> bool:
        """Whether the lesson shows any output to compare."""
        shown = (self.shown, *(command.shown for command in self.inner))
        return any(lines not in {(), ("...",)} for lines in shown)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; `line` is the line number of its fence, counted from 1."""

    line: int
    kind: str
    language: str
    classes: frozenset[str]
    title: str
    body: tuple[str, ...]
    included: bool = False

    @property
    def commands(self) -> tuple[Command, ...]:
        """The commands of a console block."""
        return tuple(_read_commands(self)) if self.kind == CONSOLE else ()

    @property
    def compared(self) -> bool:
        """Whether the block shows output or a tree that a test compares."""
        return self.kind == TREE or any(command.compares for command in self.commands)


def _read_commands(block: Block) -> Iterator[Command]:
    """Yield the commands of a console block, each with the lines below it."""
    starts = [n for n, line in enumerate(block.body) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(block.body)], strict=True):
        typed, rest = _split_command(block.body[start:end])
        line = block.line + 1 + start
        prompts = [n for n, text in enumerate(rest) if _PROMPT.match(text)]
        inner = [
            _read_inner_command(line + len(typed) + first, rest[first:last])
            for first, last in zip(prompts, [*prompts[1:], len(rest)], strict=False)
        ]
        shown = trim_lines(rest[: prompts[0]] if prompts else rest)
        yield Command(line, "\n".join(typed), shown, tuple(inner))


def _split_command(lines: tuple[str, ...]) -> tuple[list[str], tuple[str, ...]]:
    """Return the lines of a command without their prompts, and the lines below it."""
    typed = [lines[0].removeprefix("$ ")]
    rest = lines[1:]
    while rest and rest[0].startswith("> ") and ("<<" in typed[0] or typed[-1].endswith("\\")):
        typed.append(rest[0].removeprefix("> "))
        rest = rest[1:]
    return typed, rest


def _read_inner_command(line: int, lines: tuple[str, ...]) -> InnerCommand:
    found = _PROMPT.match(lines[0])
    assert found is not None  # noqa: S101 - the caller has matched it
    return InnerCommand(line, found["prompt"], found["text"] or "", trim_lines(lines[1:]))
