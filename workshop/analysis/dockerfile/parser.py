"""Parse a Dockerfile as BuildKit does: stages and their instructions, with variables expanded."""

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

# BuildKit's predefined arguments: set for FROM, and in a stage after it declares them with ARG.
_PARTS = {"PLATFORM": "linux/amd64", "OS": "linux", "OSVERSION": "", "ARCH": "amd64", "VARIANT": ""}
PLATFORM = {side + name: value for side in ("BUILD", "TARGET") for name, value in _PARTS.items()}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Limits memory: each `ENV A=$A$A` doubles the value.
BUDGET = 1 << 24
TOO_MUCH = (
    "variables expand to more text than the kit reads; from this line on, they are not expanded"
)

_SPACES = re.compile(r"[\t\v\f\r ]+")
_STAGE_NAME = re.compile(r"[a-z][a-z0-9_.-]*")
_ONE_VALUE = frozenset({"STOPSIGNAL", "USER", "WORKDIR"})
_MANY_VALUES = frozenset({"ADD", "COPY", "VOLUME"})
_NO_TRIGGER = frozenset({"FROM", "MAINTAINER", "ONBUILD"})


class Stage(NamedTuple):
    """A build stage: `number` counts from 0; `line` is that of its FROM.

    `name` is in lower case, or empty. `parent` is the number of the stage it is built on, None if
    `base` is an image. `triggers` are the parent's ONBUILD instructions, which run first.
    `instructions` exclude FROM.
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
    """A parsed Dockerfile. `arguments` are the values of the ARGs before the first FROM.

    They exclude ARGs without a value. `syntax` is the frontend in its syntax directive, or empty.
    """

    stages: tuple[Stage, ...]
    arguments: Mapping[str, str]
    problems: tuple[Problem, ...]
    escape: str
    text: str
    syntax: str = ""

    def find(self, reference: str) -> Stage | None:
        """Find a stage by its name, or by its index from 0."""
        for stage in reversed(self.stages):
            if stage.name and stage.name == reference.lower():
                return stage
        if re.fullmatch(r"[0-9]{1,9}", reference) and int(reference) < len(self.stages):
            return self.stages[int(reference)]
        return None


def split_reference(reference: str) -> tuple[str, str]:
    """Return the repository and the tag of an image's name, without its digest.

    Docker's own registry is left out: `docker.io/library/python:3.13` is `python`, `3.13`.
    """
    name = reference.partition("@")[0].removeprefix("docker.io/").removeprefix("library/")
    # A colon before the last slash belongs to the registry's port.
    head, slash, last = name.rpartition("/")
    repository, _, tag = last.partition(":")
    return head + slash + repository, tag


def parse(text: str | bytes, arguments: Mapping[str, str] | None = None) -> Dockerfile:
    """Parse a Dockerfile, with `arguments` as the values of `--build-arg`; never raises.

    Errors that make a build fail are listed in `problems`.
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
    """A stage being read: its FROM, and the variables set so far."""

    def __init__(self, head: Stage) -> None:
        self.head = head
        self.variables = {"PATH": PATH}
        self.env: dict[str, str] = {}
        self.instructions: list[Instruction] = []
        self.inherited: list[Instruction] = []
        self.triggers: list[Instruction] = []

    def build(self) -> Stage:
        """Return the finished stage."""
        return self.head._replace(
            instructions=tuple(self.instructions), triggers=tuple(self.inherited)
        )


class _Reader:
    """Assigns instructions to stages in order, and expands the variables in them."""

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
        """Add one instruction to its stage, or to the global arguments."""
        if instruction.keyword == "FROM":
            self._from(instruction)
        elif self._stages:
            builder = self._stages[-1]
            builder.instructions.append(self._apply(builder, instruction))
        elif instruction.keyword == "ARG":
            self._global(instruction)
        else:
            self._problem(instruction.line, f"{instruction.keyword} appears before the first FROM")

    def finish(self) -> tuple[Stage, ...]:
        """Return the finished stages."""
        if not self._stages:
            self._problem(1, "the file has no FROM instruction")
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
                self._problem(instruction.line, f"invalid stage name: {words[2]}")
        elif len(words) != 1:
            self._problem(instruction.line, "FROM needs an image, or IMAGE AS NAME")
        base = self._expand(words[0], variables, instruction.line)
        if not base:
            self._problem(instruction.line, "FROM has no image")
        platform = self._expand(instruction.flag("platform") or "", variables, instruction.line)
        parent = self._names.get(base.lower())
        if parent and base != base.lower():
            # BuildKit stores stage names in lower case, and would pull this name as an image.
            self._problem(instruction.line, f"write FROM {base.lower()}, not FROM {base}")
        number = parent.head.number if parent else None
        line = instruction.line
        builder = _StageBuilder(Stage(len(self._stages), name, base, platform, line, parent=number))
        self._stages.append(builder)
        if parent:
            self._inherit(builder, parent)
        if name:
            self._names[name] = builder

    def _inherit(self, builder: _StageBuilder, parent: _StageBuilder) -> None:
        # Limits the copying of variables along a long chain of stages.
        self._spend(len(parent.variables), builder.head.line)
        if self._budget > 0:
            builder.variables = {**parent.variables, **parent.env}
            builder.env = dict(parent.env)
        builder.inherited = [self._apply(builder, trigger) for trigger in parent.triggers]

    def _apply(self, builder: _StageBuilder, instruction: Instruction) -> Instruction:
        """Expand an instruction; variables it sets apply to later instructions."""
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
            words = (
                instruction.exec_form if instruction.exec_form is not None else _SPACES.split(text)
            )
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
            self._problem(instruction.line, f"{keyword} needs an argument")
        return _expanded(instruction, values)

    def _pairs(self, instruction: Instruction, variables: dict[str, str]) -> Iterator[str]:
        """Yield the `name=value` pairs of an ENV or LABEL, in either syntax."""
        words = split(instruction.text, self._escape)
        line = instruction.line
        if words and "=" not in words[0]:
            name, *rest = _SPACES.split(instruction.text, maxsplit=1)
            if not rest:
                self._problem(line, f"{instruction.keyword} {name[:40]} has no value")
                return
            words = [f"{name}={rest[0]}"]
        # All values are expanded before any of them is set.
        for word in words:
            name, sign, value = word.partition("=")
            if not sign or not name:
                self._problem(line, f"{instruction.keyword} needs name=value, not {word[:40]}")
                continue
            pair = (self._expand(name, variables, line), self._expand(value, variables, line))
            yield "=".join(pair)

    def _arg_values(
        self, instruction: Instruction, variables: Mapping[str, str], outer: Mapping[str, str]
    ) -> Iterator[str]:
        """Yield the `name=value` pairs of an ARG; the `name` only if it has no value."""
        for word in split(instruction.text, self._escape):
            name, sign, default = word.partition("=")
            name = self._expand(name, variables, instruction.line)
            if not name:
                self._problem(instruction.line, "ARG needs a name")
                continue
            value = self._expand(default, variables, instruction.line) if sign else outer.get(name)
            value = self._build_arguments.get(name, value)
            yield name if value is None else f"{name}={value}"

    def _expand_and_split(self, word: str, variables: Mapping[str, str], line: int) -> list[str]:
        """Expand `word`, and split the result at spaces."""
        try:
            found = Lexer(word, variables, self._escape).words() if self._budget > 0 else [word]
        except ShellWordError as error:
            self._problem(line, f"{word[:40]}: {error}")
            return [word]
        self._spend(sum(map(len, found)), line)
        return found

    def _trigger(self, instruction: Instruction) -> Iterator[Instruction]:
        """Yield the instruction in an ONBUILD."""
        keyword, flags, text = split_instruction(instruction.text)
        if keyword in _NO_TRIGGER or not keyword:
            self._problem(instruction.line, f"ONBUILD cannot trigger {keyword or 'nothing'}")
            return
        exec_form = None
        try:
            exec_form = parse_exec_form(keyword, text)
        except ValueError as error:
            self._problem(instruction.line, f"ONBUILD {keyword}: {error}")
        yield instruction._replace(
            keyword=keyword, text=text, flags=flags, exec_form=exec_form, expanded=text
        )

    def _expand(self, word: str, variables: Mapping[str, str], line: int) -> str:
        """Expand `word`; if it is invalid, report a problem and return it unchanged."""
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
        """Subtract from the budget; report a problem when it is first exceeded."""
        if self._budget > 0 and length >= self._budget:
            self._problem(line, TOO_MUCH)
        self._budget -= length

    def _problem(self, line: int, text: str) -> None:
        self.problems.append(Problem(line, text))


def _expanded(raw: Instruction, values: tuple[str, ...]) -> Instruction:
    """Return a copy with expanded values; `_replace` would take three times as long."""
    head = (raw.keyword, raw.line, raw.end, raw.text, raw.flags, raw.exec_form, raw.heredocs)
    return Instruction(*head, " ".join(values), values)


def _assigned(values: tuple[str, ...]) -> dict[str, str]:
    """Return the variables that `name=value` pairs set; a bare name sets none."""
    pairs = (value.partition("=") for value in values)
    return {name: value for name, sign, value in pairs if sign}
