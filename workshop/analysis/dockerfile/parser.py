"""Parse a Dockerfile as BuildKit does: stages and their instructions, with variables expanded."""

from __future__ import annotations

import posixpath
import re
from collections import ChainMap
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis.dockerfile.instructions import (
    KEYWORDS,
    Heredoc,
    Instruction,
    Problem,
    parse_exec_form,
    parse_heredoc,
    read,
    split_instruction,
)
from workshop.analysis.dockerfile.mounts import check_mount
from workshop.analysis.dockerfile.references import check_platform, check_reference
from workshop.analysis.dockerfile.shell_words import (
    TOO_MUCH,
    Lexer,
    ShellWordError,
    TooMuchTextError,
    expand,
    split,
)
from workshop.analysis.dockerfile.stages import Stage, StageGraph
from workshop.analysis.dockerfile.validation import check_syntax, check_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Dockerfile", "Heredoc", "Instruction", "Problem", "Stage", "parse"]

# BuildKit's predefined arguments: set for FROM, and in a stage after it declares them with ARG.
_PARTS = {"PLATFORM": "linux/amd64", "OS": "linux", "OSVERSION": "", "ARCH": "amd64", "VARIANT": ""}
PLATFORM = {side + name: value for side in ("BUILD", "TARGET") for name, value in _PARTS.items()}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Limits memory: each `ENV A=$A$A` doubles the value.
BUDGET = 1 << 24

_SPACES = re.compile(r"[\t\v\f\r ]+")
_STAGE_NAME = re.compile(r"[a-z][a-z0-9_.-]*")
_ONE_VALUE = frozenset({"STOPSIGNAL", "USER", "WORKDIR"})
_MANY_VALUES = frozenset({"ADD", "COPY", "VOLUME"})
_WITHOUT_QUOTES = {ord("'"): None, ord('"'): None}
_NO_TRIGGER = frozenset({"FROM", "MAINTAINER", "ONBUILD"})


class Dockerfile(NamedTuple):
    """A parsed Dockerfile. `arguments` are the values of the ARGs before the first FROM.

    They exclude ARGs without a value. `syntax` is the frontend in its syntax directive, or empty.
    `excess` is the first line on which variables expand to too much text, which BuildKit would
    compute all the same, or None.
    """

    stages: tuple[Stage, ...]
    arguments: Mapping[str, str]
    problems: tuple[Problem, ...]
    escape: str
    text: str
    syntax: str = ""
    excess: Problem | None = None

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
    head = (stages, reader.globals, problems, reading.escape, text, reading.syntax)
    return Dockerfile(*head, reader.excess)


class _StageBuilder:
    """A stage being read: its FROM, and the variables set so far.

    `problems` make a build fail only if it needs this stage. `workdir` is None if unknown.
    """

    def __init__(self, head: Stage) -> None:
        self.head = head
        self.problems: list[Problem] = []
        self.workdir = "/" if head.base == "scratch" else None
        self.variables = {"PATH": PATH}
        self.env: dict[str, str] = {}
        self.instructions: list[Instruction] = []
        self.inherited: list[Instruction] = []
        self.triggers: list[Instruction] = []

    def enter(self, workdir: str) -> None:
        """Change the working directory."""
        if self.workdir is not None or workdir.startswith("/"):
            path = posixpath.normpath(posixpath.join(self.workdir or "/", workdir))
            self.workdir = "/" + path.lstrip("/")

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
        self._run_problems = self.problems
        self._budget = BUDGET
        self.excess: Problem | None = None
        self._platform = {**PLATFORM, **{k: v for k, v in build_arguments.items() if k in PLATFORM}}
        self.globals: dict[str, str] = {}
        self._global_scope = ChainMap(self.globals, self._platform)
        self._stages: list[_StageBuilder] = []
        self._names: dict[str, _StageBuilder] = {}

    def add(self, instruction: Instruction) -> None:
        """Add one instruction to its stage, or to the global arguments."""
        if instruction.keyword in KEYWORDS:
            self._check(instruction.line, self.problems, check_syntax, instruction)
        if instruction.keyword == "FROM":
            self._from(instruction)
        elif self._stages:
            builder = self._stages[-1]
            builder.instructions.append(self._apply(builder, instruction))
            self._run_problems = self.problems
        elif instruction.keyword == "ARG":
            self._global(instruction)
        else:
            self._problem(instruction.line, f"{instruction.keyword} appears before the first FROM")

    def finish(self) -> tuple[Stage, ...]:
        """Return the finished stages."""
        if not self._stages:
            self._problem(1, "the file has no FROM instruction")
            return ()
        stages = tuple(stage.build() for stage in self._stages)
        graph = StageGraph(stages, {name: it.head.number for name, it in self._names.items()})
        self.problems += graph.problems
        # A build of the last stage does not run those that it does not need.
        for number in graph.needed(len(stages) - 1):
            self.problems += self._stages[number].problems
        return stages

    def _global(self, instruction: Instruction) -> None:
        if not instruction.text:
            self._problem(instruction.line, "ARG needs an argument")
        # BuildKit ignores invalid variables in these values.
        self._run_problems = []
        values = tuple(self._arg_values(instruction, self._global_scope, {}))
        self.globals.update(_assigned(values))
        self._run_problems = self.problems

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
        if instruction.flag("platform"):
            self._check(instruction.line, self.problems, check_platform, platform)
        parent = self._names.get(base.lower())
        if base not in {"", "scratch"} and not parent:
            self._check(instruction.line, self.problems, check_reference, base)
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
        builder.workdir = parent.workdir
        for trigger in parent.triggers:
            if trigger.keyword in KEYWORDS:
                self._check(trigger.line, builder.problems, check_syntax, trigger)
            else:
                text = f"unknown instruction: {trigger.keyword[:40]}"
                builder.problems.append(Problem(trigger.line, text))
            builder.inherited.append(self._apply(builder, trigger))
        self._run_problems = self.problems

    def _apply(self, builder: _StageBuilder, instruction: Instruction) -> Instruction:
        """Expand an instruction, and check its values."""
        self._run_problems = builder.problems
        before = len(builder.problems)
        applied = self._expanded(builder, instruction)
        if len(builder.problems) == before:
            self._check(applied.line, builder.problems, check_values, applied)
        if applied.keyword == "WORKDIR" and applied.values:
            builder.enter(applied.values[0])
        elif applied.keyword == "RUN":
            self._check_mounts(builder, applied)
        elif applied.keyword == "ONBUILD":
            builder.triggers.extend(self._trigger(applied))
        self._expand_heredocs(builder, applied)
        return applied

    def _expand_heredocs(self, builder: _StageBuilder, instruction: Instruction) -> None:
        """Report invalid variables in the bodies of ADD and COPY, where quotes are text."""
        if instruction.keyword in {"ADD", "COPY"}:
            for heredoc in instruction.heredocs:
                if heredoc.expand:
                    body = heredoc.body.translate(_WITHOUT_QUOTES)
                    self._expand(body, builder.variables, instruction.line, escape="\\")

    def _expanded(self, builder: _StageBuilder, instruction: Instruction) -> Instruction:
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
            return instruction
        if not text:
            self._problem(instruction.line, f"{keyword} needs an argument")
        return _expanded(instruction, values)

    def _check_mounts(self, builder: _StageBuilder, instruction: Instruction) -> None:
        def expanded(word: str) -> str:
            return expand(word, builder.variables, self._escape)

        for name, value in instruction.flags:
            if name == "mount":
                line, problems = instruction.line, builder.problems
                self._check(line, problems, check_mount, value, expanded, builder.workdir)

    def _pairs(self, instruction: Instruction, variables: dict[str, str]) -> Iterator[str]:
        """Yield the `name=value` pairs of an ENV or LABEL, in either syntax."""
        line = instruction.line
        try:
            words = _split_pairs(instruction, self._escape)
        except ValueError as error:
            self._problem(line, str(error))
            return
        # All values are expanded before any of them is set.
        for word in words:
            name, _, value = word.partition("=")
            if not name:
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
            if not name:
                self._problem(instruction.line, "ARG needs a name")
                continue
            name = self._expand(name, variables, instruction.line)
            value = self._expand(default, variables, instruction.line) if sign else outer.get(name)
            value = self._build_arguments.get(name, value)
            yield name if value is None else f"{name}={value}"

    def _expand_and_split(self, word: str, variables: Mapping[str, str], line: int) -> list[str]:
        """Expand `word`, and split the result at spaces."""
        try:
            found = Lexer(word, variables, self._escape).words() if self._budget > 0 else [word]
        except ShellWordError as error:
            self._report(word, line, error)
            return [word]
        self._spend(sum(map(len, found)), line)
        return found

    def _trigger(self, instruction: Instruction) -> Iterator[Instruction]:
        """Yield the instruction in an ONBUILD."""
        keyword, flags, text, bare = split_instruction(instruction.text)
        if keyword in _NO_TRIGGER or not keyword:
            self._problem(instruction.line, f"ONBUILD cannot trigger {keyword or 'nothing'}")
            return
        exec_form = None
        try:
            exec_form = parse_exec_form(keyword, text)
        except ValueError as error:
            self._problem(instruction.line, f"ONBUILD {keyword}: {error}")
        trigger = Instruction(
            *(keyword, instruction.line, instruction.end, text, flags, exec_form),
            *(instruction.heredocs, text, (), bare),
        )
        if keyword in {"ENV", "LABEL"}:
            self._check(instruction.line, self.problems, _split_pairs, trigger, self._escape)
        yield trigger

    def _expand(self, word: str, variables: Mapping[str, str], line: int, escape: str = "") -> str:
        """Expand `word`; if it is invalid, report a problem and return it unchanged."""
        try:
            if "<<" in word and parse_heredoc(word):
                return word
            found = expand(word, variables, escape or self._escape) if self._budget > 0 else word
        except ShellWordError as error:
            self._report(word, line, error)
            return word
        if found is not word:
            self._spend(len(found), line)
        return found

    def _report(self, word: str, line: int, error: ShellWordError) -> None:
        problem = Problem(line, f"{word[:40]}: {error}")
        # BuildKit ignores some problems of ARGs above FROM, but expands all variables.
        fatal = isinstance(error, TooMuchTextError)
        (self.problems if fatal else self._run_problems).append(problem)
        if fatal:
            self._exceed(problem)

    def _exceed(self, problem: Problem) -> None:
        """Stop expanding variables."""
        self.excess = self.excess or problem
        self._budget = 0

    def _spend(self, length: int, line: int) -> None:
        """Subtract from the budget; report a problem when it is first exceeded."""
        if self._budget > 0 and length >= self._budget:
            problem = Problem(line, f"{TOO_MUCH}; from this line on, they are not expanded")
            self.problems.append(problem)
            self._exceed(problem)
        self._budget -= length

    def _problem(self, line: int, text: str) -> None:
        self.problems.append(Problem(line, text))

    @staticmethod
    def _check(
        line: int, problems: list[Problem], check: Callable[..., object], *arguments: object
    ) -> None:
        """Append a problem if `check` raises a `ValueError`."""
        try:
            check(*arguments)
        except ValueError as error:
            problems.append(Problem(line, str(error)))


def _split_pairs(instruction: Instruction, escape: str) -> list[str]:
    """Return the `name=value` pairs of an ENV or LABEL; raise `ValueError` if it has others."""
    words = split(instruction.text, escape)
    if words and "=" not in words[0]:
        name, *rest = _SPACES.split(instruction.text, maxsplit=1)
        if not rest:
            raise ValueError(f"{instruction.keyword} {name[:40]} has no value")
        return [f"{name}={rest[0]}"]
    for word in words:
        if "=" not in word:
            raise ValueError(f"{instruction.keyword} needs name=value, not {word[:40]}")
    return words


def _expanded(raw: Instruction, values: tuple[str, ...]) -> Instruction:
    """Return a copy with expanded values; `_replace` is much slower."""
    head = (raw.keyword, raw.line, raw.end, raw.text, raw.flags, raw.exec_form, raw.heredocs)
    return Instruction(*head, " ".join(values), values, raw.bare_flags)


def _assigned(values: tuple[str, ...]) -> dict[str, str]:
    """Return the variables that `name=value` pairs set; a bare name sets none."""
    pairs = (value.partition("=") for value in values)
    return {name: value for name, sign, value in pairs if sign}
