"""Made-up facts for the unit tests: a docker that answers by heart, a machine, programs."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from io import StringIO
from typing import TYPE_CHECKING, Any, TypeAlias

from rich.console import Console

from workshop.core.process import ProcessResult
from workshop.core.progress import ProgressDisplay
from workshop.engine import Engine
from workshop.machine.host import Host
from workshop.machine.machine import Machine

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
    """A `Runner` that knows its answers by heart, and keeps what it was asked.

    An answer is found by words that the command has in this order, maybe with others between
    them; the first that fits is given. A list is given one by one, its last one ever after.
    """

    answers: Mapping[str, Answer | list[Answer]]
    asked: list[list[str]] = field(default_factory=list)
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
            self.asked.append(list(argv))
            self.envs.append(dict(env or {}))
            answer = self._answer(argv)
        said = answer() if callable(answer) else answer
        done = said if isinstance(said, ProcessResult) else ProcessResult(0, said, said)
        for line in done.output.splitlines() if on_line else ():
            on_line(line)
        return done

    def calls(self, words: str) -> list[list[str]]:
        """What was asked that has these words, in this order."""
        return [argv for argv in self.asked if _has(argv, words)]

    def _answer(self, argv: Sequence[str]) -> Answer:
        for words, answer in self.answers.items():
            if _has(argv, words):
                if isinstance(answer, list):
                    return answer.pop(0) if len(answer) > 1 else answer[0]
                return answer
        raise AssertionError(f"nobody told the answer to: {' '.join(argv)}")


def _has(argv: Sequence[str], words: str) -> bool:
    left = iter(argv)
    return all(word in left for word in words.split())


def docker(
    answers: Mapping[str, Answer | list[Answer]] | None = None,
    *,
    info: Answer | list[Answer] = INFO,
) -> tuple[Engine, Script]:
    """An engine that answers `info`, has its plug-ins, and knows `answers`; and its script."""
    plugins = {"docker compose version": "v2", "docker buildx version": "v0"}
    script = Script({"docker info": info, **plugins, **(answers or {})})
    return Engine(script), script


def host(**facts: Any) -> Host:
    """A host on which the kit can install an engine, but for the `facts` told."""
    usual = {
        "system": "Linux",
        "release": "debian trixie",
        "root": True,
        "forbidden": False,
        "other_engine": "",
        "systemd": True,
        "mtu": 1500,
    }
    return Host(**{**usual, **facts})


def programs(folder: Path, **scripts: str) -> str:
    """A PATH with these programs alone; `_` in a name stands for `-`."""
    folder.mkdir(exist_ok=True)
    for name, text in scripts.items():
        file = folder / name.replace("_", "-")
        file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        file.chmod(0o755)
    return str(folder)


def display(width: int = 80, *, terminal: bool = False) -> tuple[ProgressDisplay, StringIO]:
    """A board, and the paper on which it stands."""
    paper = StringIO()
    return ProgressDisplay(
        Console(file=paper, width=width, force_terminal=terminal, no_color=True)
    ), paper


def machine(engine: Engine, *, run: Script | None = None, **facts: Any) -> tuple[Machine, StringIO]:
    """A machine with this engine on such a host, and the paper on which its progress stands.

    Whatever is run that `run` does not know fails the test.
    """
    shown, paper = display()
    return Machine(host(**facts), engine, run or Script({}), shown), paper
