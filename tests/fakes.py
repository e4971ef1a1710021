"""Fakes for the unit tests: a scripted docker, a machine, programs."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from io import StringIO
from typing import TYPE_CHECKING, Any, TypeAlias

from rich.console import Console

from workshop.core.paths import ROOT
from workshop.core.process import ProcessResult
from workshop.core.progress import ProgressDisplay
from workshop.engine import Engine
from workshop.machine.doctor.subject import Subject
from workshop.machine.host import Host
from workshop.machine.machine import Machine
from workshop.stack import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

Answer: TypeAlias = "str | ProcessResult | Callable[[], str | ProcessResult]"

NOWHERE = "/no/such/folder"
INFO = json.dumps({"ServerVersion": "26.1.5", "DockerRootDir": NOWHERE, "Labels": None})
NO_ENGINE = ProcessResult(
    1, "Cannot connect to the Docker daemon at unix:///x.sock. Is it running?\n"
)
NO_IMAGE = ProcessResult(1, "Error response from daemon: No such image: x:latest\n")
MISSING = ProcessResult(127, "docker: No such file or directory")


@dataclass
class Script:
    """A `Runner` with scripted answers, which records its calls.

    The key of an answer is a list of arguments that the command has in this order, maybe with
    others between them; the first key that matches is used. The answers in a list are given one
    after another, and then the last one again.
    """

    answers: Mapping[str, Answer | list[Answer]]
    argvs: list[list[str]] = field(default_factory=list)
    envs: list[dict[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        timeout: float | None = None,  # noqa: ARG002 - a part of `Runner`
    ) -> ProcessResult:
        with self._lock:
            self.argvs.append(list(argv))
            self.envs.append(dict(env or {}))
            answer = self._answer(argv)
        output = answer() if callable(answer) else answer
        done = output if isinstance(output, ProcessResult) else ProcessResult(0, output, output)
        for line in done.output.splitlines() if on_line else ():
            on_line(line)
        return done

    def calls(self, arguments: str) -> list[list[str]]:
        """Return the calls that have these arguments, in this order."""
        return [argv for argv in self.argvs if _has(argv, arguments)]

    def _answer(self, argv: Sequence[str]) -> Answer:
        for arguments, answer in self.answers.items():
            if _has(argv, arguments):
                if isinstance(answer, list):
                    return answer.pop(0) if len(answer) > 1 else answer[0]
                return answer
        raise AssertionError(f"no answer for: {' '.join(argv)}")


def _has(argv: Sequence[str], arguments: str) -> bool:
    rest = iter(argv)
    return all(argument in rest for argument in arguments.split())


def docker(
    answers: Mapping[str, Answer | list[Answer]] | None = None,
    *,
    info: Answer | list[Answer] = INFO,
) -> tuple[Engine, Script]:
    """Return an engine with its plug-ins that gives these answers, and its script."""
    plugins = {"docker compose version": "v2", "docker buildx version": "v0"}
    script = Script({"docker info": info, **plugins, **(answers or {})})
    return Engine(script), script


def host(**facts: Any) -> Host:
    """Return a host on which the kit can install an engine, except for the given `facts`."""
    defaults = {
        "system": "Linux",
        "release": "debian trixie",
        "root": True,
        "forbidden": False,
        "other_engine": "",
        "systemd": True,
        "mtu": 1500,
    }
    return Host(**{**defaults, **facts})


def subject(engine: Engine, root: Path, **options: Any) -> Subject:
    """Return what the doctor examines: a machine with this engine, offline, and its checkout.

    `facts` are those of the host, and `run` answers for its programs.
    """
    facts, run = options.pop("facts", {}), options.pop("run", None)
    here, _ = machine(engine, run=run, **facts)
    defaults = {"pins": versions.read(ROOT / "versions.toml"), "environ": {}, "online": False}
    return Subject(here, root=root, **{**defaults, **options})


def programs(folder: Path, **scripts: str) -> str:
    """Return a PATH with only these programs; `_` in a name becomes `-`."""
    folder.mkdir(exist_ok=True)
    for name, text in scripts.items():
        file = folder / name.replace("_", "-")
        file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        file.chmod(0o755)
    return str(folder)


_FAILING_DOCKER = """
case "$*" in
info*) echo '{"ServerVersion": "26.1.5", "DockerRootDir": "/no/such/folder", "Labels": null}' ;;
"network inspect"*) echo instance ;;
"image inspect"*"{{.Id}}"*) echo sha256:1 ;;
build*workshop-probe*) exit 1 ;;
build*)
    [ -z "$BEGUN" ] || echo > "$BEGUN"
    [ -z "$GO_ON" ] || read -r _ < "$GO_ON"
    echo 'ERROR: failed to solve: process "x" did not complete successfully: exit code: 1'
    exit 1 ;;
esac
"""


def failing_docker(folder: Path) -> str:
    """Return a PATH with only a docker whose builds fail.

    If its environment has the names, a build creates the file BEGUN, and then waits for a line in
    the FIFO GO_ON.
    """
    return programs(folder, docker=_FAILING_DOCKER)


def display(width: int = 80, *, terminal: bool = False) -> tuple[ProgressDisplay, StringIO]:
    """Return a progress display and its output."""
    output = StringIO()
    console = Console(file=output, width=width, force_terminal=terminal, no_color=True)
    return ProgressDisplay(console), output


def machine(engine: Engine, *, run: Script | None = None, **facts: Any) -> tuple[Machine, StringIO]:
    """Return a machine with this engine on such a host, and the output of its progress display.

    Any program without an answer in `run` fails the test.
    """
    shown, output = display()
    return Machine(host(**facts), engine, run or Script({}), shown), output
