"""The effective configuration of a stage's image, including the stages it is built on."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis.dockerfile.shell_words import SPACE

if TYPE_CHECKING:
    from workshop.analysis.dockerfile.parser import Dockerfile, Instruction, Stage

SHELL = ("/bin/sh", "-c")
MAX_PORTS = 65536

_PORT = re.compile(r"(?:[^/]*:)?(\d{1,5})(?:-(\d{1,5}))?(?:/([a-zA-Z]+))?")


class Setting(NamedTuple):
    """A value, and the line that set it."""

    value: str
    line: int


class Command(NamedTuple):
    """A command: `argv` as in the image's configuration.

    With `shell`, the Dockerfile uses the shell form, and `argv` starts with that shell. `text` is
    the command as written.
    """

    argv: tuple[str, ...]
    shell: bool
    line: int
    text: str


class Effective(NamedTuple):
    """The configuration of a stage's image, without the settings of its base image.

    `chain` leads from the first stage to `stage`; `instructions` are all of their instructions in
    build order, with ONBUILD triggers where they run. Keys of `ports` look like `8000/tcp`.
    """

    stage: Stage
    base: str
    chain: tuple[Stage, ...]
    instructions: tuple[Instruction, ...]
    user: Setting | None
    workdir: Setting | None
    env: dict[str, Setting]
    entrypoint: Command | None
    cmd: Command | None
    ports: dict[str, Setting]
    volumes: dict[str, Setting]
    healthcheck: Command | None
    stopsignal: Setting | None
    labels: dict[str, Setting]
    shell: tuple[str, ...]


def effective(dockerfile: Dockerfile, target: str = "") -> Effective | None:
    """Return the configuration of the last stage or of `target` (name or index), if it exists."""
    if not dockerfile.stages:
        return None
    stage = dockerfile.find(target) if target else dockerfile.stages[-1]
    if stage is None:
        return None
    chain = [stage]
    while chain[-1].parent is not None:
        chain.append(dockerfile.stages[chain[-1].parent])
    chain.reverse()
    image = _Image()
    for member in chain:
        image.apply(member)
    return image.freeze(tuple(chain))


class _Image:
    """Builds up an image's configuration; public attributes are those of `Effective`."""

    def __init__(self) -> None:
        self.user: Setting | None = None
        self.workdir: Setting | None = None
        self.stopsignal: Setting | None = None
        self.entrypoint: Command | None = None
        self.cmd: Command | None = None
        self.healthcheck: Command | None = None
        self.env: dict[str, Setting] = {}
        self.ports: dict[str, Setting] = {}
        self.volumes: dict[str, Setting] = {}
        self.labels: dict[str, Setting] = {}
        self.shell: tuple[str, ...] = SHELL
        self._cmd_is_own = False
        self._instructions: list[Instruction] = []
        self._ports_left = MAX_PORTS

    def apply(self, stage: Stage) -> None:
        """Apply a stage's instructions, after its parent's ONBUILD triggers."""
        self._cmd_is_own = False
        for instruction in (*stage.triggers, *stage.instructions):
            self._instructions.append(instruction)
            apply = getattr(self, f"_apply_{instruction.keyword.lower()}", None)
            if apply and (instruction.text or instruction.keyword in {"CMD", "ENTRYPOINT"}):
                apply(instruction)

    def freeze(self, chain: tuple[Stage, ...]) -> Effective:
        """Return the configuration after all the stages of `chain`."""
        settings = {name: value for name, value in vars(self).items() if name[0] != "_"}
        return Effective(chain[-1], chain[0].base, chain, tuple(self._instructions), **settings)

    def _apply_user(self, instruction: Instruction) -> None:
        self.user = Setting(instruction.expanded, instruction.line)

    def _apply_stopsignal(self, instruction: Instruction) -> None:
        self.stopsignal = Setting(instruction.expanded, instruction.line)

    def _apply_workdir(self, instruction: Instruction) -> None:
        before = self.workdir.value if self.workdir else "/"
        path = posixpath.normpath(posixpath.join(before, instruction.expanded))
        self.workdir = Setting("/" + path.lstrip("/"), instruction.line)

    def _apply_env(self, instruction: Instruction) -> None:
        self.env.update(_pairs(instruction))

    def _apply_label(self, instruction: Instruction) -> None:
        self.labels.update(_pairs(instruction))

    def _apply_volume(self, instruction: Instruction) -> None:
        for value in instruction.values:
            self.volumes[value] = Setting(value, instruction.line)

    def _apply_expose(self, instruction: Instruction) -> None:
        for value in instruction.values:
            found = _PORT.fullmatch(value)
            if not found:
                continue
            first, last = int(found[1]), int(found[2] or found[1])
            # Limits the work: a few lines can expose the full range of ports many times.
            self._ports_left -= max(last - first, 0)
            for port in range(first, last + 1) if self._ports_left >= 0 else (first,):
                name = f"{port}/{(found[3] or 'tcp').lower()}"
                self.ports[name] = Setting(name, instruction.line)

    def _apply_shell(self, instruction: Instruction) -> None:
        self.shell = instruction.exec_form or self.shell

    def _apply_cmd(self, instruction: Instruction) -> None:
        self.cmd = self._command(instruction, instruction.text)
        self._cmd_is_own = True

    def _apply_entrypoint(self, instruction: Instruction) -> None:
        self.entrypoint = self._command(instruction, instruction.text)
        # ENTRYPOINT resets a CMD that this stage inherited.
        if not self._cmd_is_own:
            self.cmd = None

    def _apply_healthcheck(self, instruction: Instruction) -> None:
        kind, *rest = re.split(f"[{SPACE}]+", instruction.text, maxsplit=1)
        if kind.upper() == "NONE":
            self.healthcheck = None
        elif kind.upper() == "CMD" and rest:
            self.healthcheck = self._command(instruction, rest[0])

    def _command(self, instruction: Instruction, text: str) -> Command | None:
        """Return the command; None for an empty list, which unsets it."""
        if instruction.exec_form is None:
            return Command((*self.shell, text), True, instruction.line, text)  # noqa: FBT003
        if not instruction.exec_form:
            return None
        return Command(instruction.exec_form, False, instruction.line, text)  # noqa: FBT003


def _pairs(instruction: Instruction) -> dict[str, Setting]:
    pairs = (value.partition("=") for value in instruction.values)
    return {name: Setting(value, instruction.line) for name, _, value in pairs}
