"""A Dockerfile as BuildKit reads it: stages, their instructions, and what those expand to."""

from __future__ import annotations

import re
from collections import ChainMap
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis.dockerfile.instructions import (
    Heredoc,
    Instruction,
    Problem,
    parse_exec_form,
    parse_heredoc,
    read,
    split_instruction,
)
from workshop.analysis.dockerfile.shell_words import Lexer, ShellWordError, expand, split

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Dockerfile", "Heredoc", "Instruction", "Problem", "Stage", "parse"]

# What BuildKit fills in by itself: for FROM at once, for a stage once it says ARG.
PLATFORM = {
    "BUILDPLATFORM": "linux/amd64",
    "BUILDOS": "linux",
    "BUILDOSVERSION": "",
    "BUILDARCH": "amd64",
    "BUILDVARIANT": "",
    "TARGETPLATFORM": "linux/amd64",
    "TARGETOS": "linux",
    "TARGETOSVERSION": "",
    "TARGETARCH": "amd64",
    "TARGETVARIANT": "",
}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# `ENV A=$A$A` doubles: forty such lines would fill any memory.
BUDGET = 1 << 24
TOO_MUCH = "from here on, the file expands to more than this kit reads, and nothing is expanded"

_SPACES = re.compile(r"[\t\v\f\r ]+")
_STAGE_NAME = re.compile(r"[a-z][a-z0-9_.-]*")
_ONE_VALUE = frozenset({"STOPSIGNAL", "USER", "WORKDIR"})
_MANY_VALUES = frozenset({"ADD", "COPY", "VOLUME"})
_NO_TRIGGER = frozenset({"FROM", "MAINTAINER", "ONBUILD"})


class Stage(NamedTuple):
    """From one FROM to the next, with its `number` from 0; `line` is that of its FROM.

    `name` is in lower case, and empty where there is none. `parent` is the stage it builds on,
    None where `base` is an image. `triggers` are that stage's ONBUILD instructions, which a build
    runs first. `instructions` begin after FROM.
    """

    number: int
    name: str
    base: str
    platform: str
    line: int
    instructions: tuple[Instruction, ...] = ()
    parent: int | None = None
    triggers: tuple[Instruction, ...] = ()


class Dockerfile(NamedTuple):
    """All of it. `arguments` are the values of the ARGs before the first FROM.

    An ARG without any value is not among them. `syntax` is the frontend it asks for, or empty.
    """

    stages: tuple[Stage, ...]
    arguments: Mapping[str, str]
    problems: tuple[Problem, ...]
    escape: str
    text: str
    syntax: str = ""

    def find(self, reference: str) -> Stage | None:
        """The stage that a target or a `--from` names: by its name, or by its index from 0."""
        for stage in reversed(self.stages):
            if stage.name and stage.name == reference.lower():
                return stage
        if re.fullmatch(r"[0-9]{1,9}", reference) and int(reference) < len(self.stages):
            return self.stages[int(reference)]
        return None


def parse(text: str | bytes, arguments: Mapping[str, str] | None = None) -> Dockerfile:
    """Read a Dockerfile, with `arguments` as the build's `--build-arg`; never raises.

    Whatever a build would refuse is among its problems.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", errors="replace")
    text = text.removeprefix("\ufeff")
    reading = read(text)
    reader = _Reader(reading.escape, arguments or {}, list(reading.problems))
    for instruction in reading.instructions:
        reader.add(instruction)
    stages = reader.finish()
    problems = tuple(sorted(reader.problems, key=lambda problem: problem.line))
    return Dockerfile(stages, reader.globals, problems, reading.escape, text, reading.syntax)


class _StageBuilder:
    """A stage that is being read: what its FROM says, and what its instructions have set so far."""

    def __init__(self, head: Stage) -> None:
        self.head = head
        self.variables = {"PATH": PATH}
        self.env: dict[str, str] = {}
        self.instructions: list[Instruction] = []
        self.inherited: list[Instruction] = []
        self.triggers: list[Instruction] = []

    def build(self) -> Stage:
        """The stage, when all of it is read."""
        return self.head._replace(
            instructions=tuple(self.instructions), triggers=tuple(self.inherited)
        )


class _Reader:
    """Takes instructions in order, and expands each with what stands before it."""

    def __init__(
        self, escape: str, build_arguments: Mapping[str, str], problems: list[Problem]
    ) -> None:
        self._escape, self._build_arguments, self.problems = escape, build_arguments, problems
        self._budget = BUDGET
        self._platform = {**PLATFORM, **{k: v for k, v in build_arguments.items() if k in PLATFORM}}
        self.globals: dict[str, str] = {}
        self._global_scope = ChainMap(self.globals, self._platform)
        self._stages: list[_StageBuilder] = []
        self._names: dict[str, _StageBuilder] = {}

    def add(self, instruction: Instruction) -> None:
        """Add one instruction to where it belongs."""
        if instruction.keyword == "FROM":
            self._from(instruction)
        elif self._stages:
            builder = self._stages[-1]
            builder.instructions.append(self._apply(builder, instruction))
        elif instruction.keyword == "ARG":
            self._global(instruction)
        else:
            self._problem(instruction.line, f"{instruction.keyword} stands before the first FROM")

    def finish(self) -> tuple[Stage, ...]:
        """The stages, when all is taken."""
        if not self._stages:
            self._problem(1, "there is no FROM")
        return tuple(stage.build() for stage in self._stages)

    def _global(self, instruction: Instruction) -> None:
        values = tuple(self._arg_values(instruction, self._global_scope, {}))
        self.globals.update(_assigned(values))

    def _from(self, instruction: Instruction) -> None:
        variables = self._global_scope
        words = _SPACES.split(instruction.text)
        name = ""
        if len(words) == 3 and words[1].upper() == "AS":  # noqa: PLR2004 - IMAGE AS NAME
            name = words[2].lower()
            if not _STAGE_NAME.fullmatch(name):
                self._problem(instruction.line, f"a stage cannot be called {words[2]}")
        elif len(words) != 1:
            self._problem(instruction.line, "FROM wants one image, or IMAGE AS NAME")
        base = self._expand(words[0], variables, instruction.line)
        if not base:
            self._problem(instruction.line, "FROM names no image")
        platform = self._expand(instruction.flag("platform") or "", variables, instruction.line)
        parent = self._names.get(base.lower())
        if parent and base != base.lower():
            # BuildKit keeps stages in lower case, and takes this name for an image's.
            self._problem(instruction.line, f"FROM {base} has to be FROM {base.lower()}")
        number = parent.head.number if parent else None
        line = instruction.line
        builder = _StageBuilder(Stage(len(self._stages), name, base, platform, line, parent=number))
        self._stages.append(builder)
        if parent:
            self._inherit(builder, parent)
        if name:
            self._names[name] = builder

    def _inherit(self, builder: _StageBuilder, parent: _StageBuilder) -> None:
        # A long chain of stages would copy the same variables again and again.
        self._spend(len(parent.variables), builder.head.line)
        if self._budget > 0:
            builder.variables = {**parent.variables, **parent.env}
            builder.env = dict(parent.env)
        builder.inherited = [self._apply(builder, trigger) for trigger in parent.triggers]

    def _apply(self, builder: _StageBuilder, instruction: Instruction) -> Instruction:
        """The instruction, expanded; what it sets counts for the ones after it."""
        keyword, text, variables = instruction.keyword, instruction.text, builder.variables
        if keyword in {"ENV", "LABEL"}:
            values = tuple(self._pairs(instruction, variables))
            if keyword == "ENV":
                variables.update(_assigned(values))
                builder.env.update(_assigned(values))
        elif keyword == "ARG":
            values = tuple(self._arg_values(instruction, variables, self._global_scope))
            variables.update(_assigned(values))
        elif keyword in _ONE_VALUE:
            values = (self._expand(text, variables, instruction.line),)
        elif keyword in _MANY_VALUES:
            words = instruction.words if instruction.words is not None else _SPACES.split(text)
            values = tuple(self._expand(word, variables, instruction.line) for word in words)
        elif keyword == "EXPOSE":
            words = _SPACES.split(text)
            values = tuple(
                value
                for word in words
                for value in self._expand_and_split(word, variables, instruction.line)
            )
        else:
            if keyword == "ONBUILD":
                builder.triggers.extend(self._trigger(instruction))
            return instruction
        if not text:
            self._problem(instruction.line, f"{keyword} wants an argument")
        return _expanded(instruction, values)

    def _pairs(self, instruction: Instruction, variables: dict[str, str]) -> Iterator[str]:
        """The `name=value` of an ENV or a LABEL, in both its forms."""
        words = split(instruction.text, self._escape)
        line = instruction.line
        if words and "=" not in words[0]:
            name, *rest = _SPACES.split(instruction.text, maxsplit=1)
            if not rest:
                self._problem(line, f"{instruction.keyword} {name[:40]} has no value")
                return
            words = [f"{name}={rest[0]}"]
        # All of them are expanded before any of them counts.
        for word in words:
            name, sign, value = word.partition("=")
            if not sign or not name:
                self._problem(line, f"{instruction.keyword} wants name=value, not {word[:40]}")
                continue
            pair = (self._expand(name, variables, line), self._expand(value, variables, line))
            yield "=".join(pair)

    def _arg_values(
        self, instruction: Instruction, variables: Mapping[str, str], outer: Mapping[str, str]
    ) -> Iterator[str]:
        """The `name=value` of an ARG with the value it gets; `name` alone where it gets none."""
        for word in split(instruction.text, self._escape):
            name, sign, default = word.partition("=")
            name = self._expand(name, variables, instruction.line)
            if not name:
                self._problem(instruction.line, "ARG wants a name")
                continue
            value = self._expand(default, variables, instruction.line) if sign else outer.get(name)
            value = self._build_arguments.get(name, value)
            yield name if value is None else f"{name}={value}"

    def _expand_and_split(self, word: str, variables: Mapping[str, str], line: int) -> list[str]:
        """`word` expanded, and split where that has spaces."""
        try:
            found = Lexer(word, variables, self._escape).words() if self._budget > 0 else [word]
        except ShellWordError as error:
            self._problem(line, f"{word[:40]}: {error}")
            return [word]
        self._spend(sum(map(len, found)), line)
        return found

    def _trigger(self, instruction: Instruction) -> Iterator[Instruction]:
        """The instruction that an ONBUILD holds."""
        keyword, flags, text = split_instruction(instruction.text)
        if keyword in _NO_TRIGGER or not keyword:
            self._problem(instruction.line, f"ONBUILD cannot trigger {keyword or 'nothing'}")
            return
        words = None
        try:
            words = parse_exec_form(keyword, text)
        except ValueError as error:
            self._problem(instruction.line, f"ONBUILD {keyword}: {error}")
        yield instruction._replace(
            keyword=keyword, text=text, flags=flags, words=words, expanded=text
        )

    def _expand(self, word: str, variables: Mapping[str, str], line: int) -> str:
        """`word` expanded; as it stands, with a problem, where BuildKit would refuse it."""
        try:
            if "<<" in word and parse_heredoc(word):
                return word
            found = expand(word, variables, self._escape) if self._budget > 0 else word
        except ShellWordError as error:
            self._problem(line, f"{word[:40]}: {error}")
            return word
        if found is not word:
            self._spend(len(found), line)
        return found

    def _spend(self, length: int, line: int) -> None:
        """Count what an expansion has come to; the first that is too much is a problem."""
        if self._budget > 0 and length >= self._budget:
            self._problem(line, TOO_MUCH)
        self._budget -= length

    def _problem(self, line: int, text: str) -> None:
        self.problems.append(Problem(line, text))


def _expanded(raw: Instruction, values: tuple[str, ...]) -> Instruction:
    """The same instruction with its values; `_replace` would take thrice the time."""
    head = (raw.keyword, raw.line, raw.end, raw.text, raw.flags, raw.words, raw.heredocs)
    return Instruction(*head, " ".join(values), values)


def _assigned(values: tuple[str, ...]) -> dict[str, str]:
    """The variables that `name=value` words set; a name alone sets none."""
    pairs = (value.partition("=") for value in values)
    return {name: value for name, sign, value in pairs if sign}
