"""The only door to Docker: everything that the kit asks of an engine, it asks here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workshop.process import Children, Finished, Runner
from workshop.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

KIT_LABEL = "workshop.engine=kit"
STANDIN_LABEL = "workshop.standin"

# What the docker CLI and BuildKit print when the engine goes away under them.
_GONE = (
    "Cannot connect to the Docker daemon",
    "error during connect",
    "error reading from server: EOF",
    "failed to list workers",
)
_RULE = "------"
_STEP_WIDTH = 60
_FULL = "no space left on device"
_FORBIDDEN = "permission denied while trying to connect"


@dataclass(frozen=True)
class Info:
    """What an engine says of itself. `ours` is true of one that the kit has started."""

    version: str
    root: str
    ours: bool


@dataclass(frozen=True)
class Build:
    """One call of `docker build`."""

    image: str
    context: Path
    dockerfile: Path
    target: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def argv(self) -> list[str]:
        """The words after `docker`, as anyone could type them."""
        words = ["build", "--tag", self.image, "--file", str(self.dockerfile)]
        if self.target:
            words += ["--target", self.target]
        for name, value in self.arguments.items():
            words += ["--build-arg", f"{name}={value}"]
        for name, value in self.labels.items():
            words += ["--label", f"{name}={value}"]
        return [*words, str(self.context)]


class Engine:
    """The engine that the docker CLI on this machine reaches."""

    def __init__(self, run: Runner | None = None) -> None:
        """`run` stands for the docker CLI: unit tests hand in their own."""
        self._run = run or Children()

    def info(self) -> Info | None:
        """What the engine says of itself, or None where none answers."""
        done = self._docker("info", "--format", "{{json .}}", timeout=30)
        try:
            said = json.loads(done.answer)
        except ValueError:
            return None
        if done.code or not isinstance(said, dict) or not said.get("ServerVersion"):
            return None
        return Info(
            said["ServerVersion"], said["DockerRootDir"], KIT_LABEL in (said["Labels"] or [])
        )

    def forbids(self) -> bool:
        """Whether an engine is there that this user may not speak to."""
        return _FORBIDDEN in self._docker("info", timeout=30).output

    def lacks(self, plugin: str) -> bool:
        """Whether the docker CLI has no such plug-in (`compose`, `buildx`)."""
        return self._docker(plugin, "version", timeout=30).code != 0

    def inspect(self, image: str, template: str) -> str:
        """`docker image inspect`'s answer to a Go template; empty where there is no such image."""
        done = self._docker("image", "inspect", "--format", template, image, timeout=60)
        if done.code and "No such image" not in done.output:
            self._refuse(f"image {image}", done)
        return "" if done.code else done.answer.strip()

    def has(self, image: str) -> bool:
        """Whether the engine holds `image`."""
        return bool(self.inspect(image, "{{.Id}}"))

    def size(self, image: str) -> int:
        """The size of `image` in bytes, its base included; 0 where there is no such image."""
        return int(self.inspect(image, "{{.Size}}") or 0)

    def standin_for(self, image: str) -> str:
        """The base image for which `image`, or what it was built on, stands in; else empty."""
        template = f'{{{{with .Config.Labels}}}}{{{{index . "{STANDIN_LABEL}"}}}}{{{{end}}}}'
        return self.inspect(image, template)

    def pull(self, image: str, on_line: Callable[[str], None] | None = None) -> Finished:
        """Pull `image`; the caller judges how that ended."""
        return self._docker("pull", image, on_line=on_line)

    def build(self, build: Build, on_line: Callable[[str], None] | None = None) -> None:
        """Build an image; a `Trouble` names the step that failed and what it said."""
        # BuildKit would otherwise add an attestation that differs at each build.
        env = {"BUILDKIT_PROGRESS": "plain", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
        done = self._docker(*build.argv(), env=env, on_line=on_line)
        if done.code:
            again = " ".join(["docker", *build.argv()])
            self._refuse(f"image {build.image}", done, cure=f"See all of it with: {again}")

    def compose(
        self, *words: str, folder: Path, on_line: Callable[[str], None] | None = None
    ) -> Finished:
        """`docker compose WORDS` in `folder`; the caller judges how that ended."""
        argv = ("compose", "--progress", "plain", "--project-directory", str(folder), *words)
        return self._docker(*argv, on_line=on_line)

    def check(self, thing: str, done: Finished, cure: str) -> None:
        """Raise a `Trouble` about `thing` where `done` failed."""
        if done.code:
            self._refuse(thing, done, cure=cure)

    def _docker(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        timeout: float | None = None,
    ) -> Finished:
        return self._run(["docker", *words], env=env, on_line=on_line, timeout=timeout)

    def _refuse(self, thing: str, done: Finished, cure: str = "Run the command again.") -> None:
        if _FULL in done.output:
            raise Trouble(
                thing,
                "the disk is full",
                "Free 5 GB or more (docker system prune removes what no container uses)",
            )
        if any(sign in done.output for sign in _GONE) or not self.info():
            raise Trouble(thing, "the Docker engine stopped answering", "Run the command again")
        raise Trouble(thing, _reason(done), cure)


def _reason(done: Finished) -> str:
    """The line that says why a build or a compose call failed."""
    lines = [line.strip() for line in done.output.splitlines() if line.strip()]
    if step := _failed_step(lines):
        return step
    for line in reversed(lines):
        for sign in ("ERROR: ", "Error response from daemon: ", "Error: "):
            if sign in line:
                return line.split(sign, 1)[1].strip().rstrip(".")
    return (done.last_line or f"exit code {done.code}").rstrip(".")


def _failed_step(lines: list[str]) -> str:
    """BuildKit's summary of the step that failed, and the last words of it: between two rules."""
    rules = [number for number, line in enumerate(lines) if line == _RULE]
    if len(rules) < 2 or not lines[rules[-2] + 1].startswith("> "):  # noqa: PLR2004 - a pair
        return ""
    head, *said = lines[rules[-2] + 1 : rules[-1]]
    words = [re.sub(r"^\d+\.\d+ ", "", line) for line in said]
    errors = [line for line in words if line.startswith(("ERROR", "E:", "error"))]
    last = (errors or words or [""])[-1]
    step = head.removeprefix("> ").rstrip(":")
    short = step if len(step) <= _STEP_WIDTH else step[:_STEP_WIDTH].rstrip() + "..."
    return f"step {short} failed: {last}".rstrip(": .")
