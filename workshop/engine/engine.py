"""The only door to Docker: everything that the kit asks of an engine, it asks here."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from workshop.core.errors import UserError
from workshop.core.process import TIMED_OUT, ProcessResult, Runner, SubprocessRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from workshop.core.process import InteractiveProcess

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


# What BuildKit prints when it could not ask a registry, which is nobody's Dockerfile's fault.
_UNREACHABLE = ("no such host", "dial tcp", "i/o timeout", "TLS handshake", "failed to do request")


class BuildError(UserError):
    """A build ended early, and what it was given is to blame."""


class EngineUnavailableError(UserError):
    """The engine answers no more, or never did."""

    def __init__(self, thing: str) -> None:
        super().__init__(thing, "the Docker engine stopped answering", "Run the command again")


@dataclass(frozen=True)
class Info:
    """What an engine says of itself. `ours` is true of one that the kit has started."""

    version: str
    root: str
    ours: bool


@dataclass(frozen=True)
class Build:
    """One call of `docker build`. `progress` is how BuildKit tells it: `plain`, or `rawjson`."""

    image: str
    context: Path
    dockerfile: Path
    target: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    id_file: Path | None = None
    progress: str = "plain"

    def argv(self) -> list[str]:
        """The words after `docker`, as anyone could type them."""
        words = ["build", "--tag", self.image, "--file", str(self.dockerfile)]
        if self.target:
            words += ["--target", self.target]
        for name, value in self.arguments.items():
            words += ["--build-arg", f"{name}={value}"]
        for name, value in self.labels.items():
            words += ["--label", f"{name}={value}"]
        if self.id_file:
            words += ["--iidfile", str(self.id_file)]
        return [*words, str(self.context)]


class Engine:
    """The engine that the docker CLI on this machine reaches."""

    def __init__(self, run: Runner | None = None) -> None:
        """`run` stands for the docker CLI: unit tests hand in their own."""
        self._run = run or SubprocessRunner()

    def info(self) -> Info | None:
        """What the engine says of itself, or None where none answers."""
        done = self._docker("info", "--format", "{{json .}}", timeout=30)
        try:
            said = json.loads(done.stdout)
        except ValueError:
            return None
        if done.code or not isinstance(said, dict) or not said.get("ServerVersion"):
            return None
        return Info(
            said["ServerVersion"], said["DockerRootDir"], KIT_LABEL in (said["Labels"] or [])
        )

    def require(self, thing: str) -> None:
        """Raise `EngineUnavailableError` if no engine answers, naming `thing`."""
        if self.info() is None:
            raise EngineUnavailableError(thing)

    def is_forbidden(self) -> bool:
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
        return "" if done.code else done.stdout.strip()

    def history(self, image: str) -> list[str]:
        """What made each part of an image, the oldest first."""
        words = ("history", "--no-trunc", "--format", "{{json .CreatedBy}}", image)
        done = self._docker(*words, timeout=60)
        self.check(f"image {image}", done, "Run the command again")
        return [json.loads(line) for line in reversed(done.stdout.splitlines())]

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

    def pull(self, image: str, on_line: Callable[[str], None] | None = None) -> ProcessResult:
        """Pull `image`; the caller judges how that ended."""
        return self._docker("pull", image, on_line=on_line)

    def build(
        self,
        build: Build,
        on_line: Callable[[str], None] | None = None,
        timeout: float | None = None,
    ) -> ProcessResult:
        """Build an image: what BuildKit printed. `BuildError` names the step that failed.

        `timeout` is in seconds.
        """
        # BuildKit would otherwise add an attestation that differs at each build.
        env = {"BUILDKIT_PROGRESS": build.progress, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
        done = self._docker(*build.argv(), env=env, on_line=on_line, timeout=timeout)
        thing = f"image {build.image}"
        if done.code == TIMED_OUT:
            found = f"the build did not end within {timeout or 0:.0f} s"
            raise BuildError(thing, found, "Look for a step that waits for something")
        if done.code:
            self._refuse_build(thing, done, f"See all of it with: docker {' '.join(build.argv())}")
        return done

    def run(  # noqa: PLR0913 - the parts of one `docker run`
        self,
        name: str,
        image: str,
        options: Sequence[str] = (),
        command: Sequence[str] = (),
        *,
        on_line: Callable[[str], None] | None = None,
        timeout: float | None = None,
    ) -> ProcessResult:
        """Run a container to its end: its exit code and what it printed. `remove` it then."""
        words = ["run", "--name", name, *options, image, *command]
        return self._docker(*words, on_line=on_line, timeout=timeout)

    @contextlib.contextmanager
    def interact(
        self, name: str, image: str, options: Sequence[str], command: Sequence[str]
    ) -> Iterator[InteractiveProcess]:
        """A container to ask and be answered by, until the block ends. `remove` it then."""
        words = ["docker", "run", "--interactive", "--name", name, *options, image, *command]
        with self._run.interact(words) as interact:
            yield interact

    @contextlib.contextmanager
    def save(self, image: str) -> Iterator[IO[bytes]]:
        """The stream of `docker save`."""
        with self._run.stream(["docker", "save", image]) as stream:
            yield stream

    def state(self, container: str) -> dict[str, Any]:
        """What `docker inspect` says of a container's state; empty where there is none."""
        done = self._docker("inspect", "--format", "{{json .State}}", container, timeout=60)
        return {} if done.code else dict(json.loads(done.stdout))

    def processes(self, container: str) -> list[list[str]]:
        """uid, pid, parent's pid and command of each process, as the host sees them."""
        fields = "uid,pid,ppid,args"
        done = self._docker("top", container, "-eo", fields, timeout=60)
        rows = done.stdout.splitlines()[1:] if not done.code else []
        return [row.split(maxsplit=3) for row in rows]

    def execute(
        self, container: str, words: Sequence[str], timeout: float | None = None
    ) -> ProcessResult:
        """Run a program in a container that is running: its exit code and what it printed."""
        return self._docker("exec", container, *words, timeout=timeout)

    def stop(self, container: str, seconds: int) -> None:
        """Ask a container to end, and end it after so many seconds."""
        self._docker("stop", "--time", str(seconds), container, timeout=seconds + 60)

    def remove(self, *containers: str) -> None:
        """Remove containers with their unnamed volumes, running or not, there or not."""
        if containers:
            self._docker("rm", "--force", "--volumes", *containers, timeout=120)

    def remove_project(self, project: str) -> None:
        """Remove all that a compose project has made: containers, networks and volumes."""
        self._docker("compose", "--project-name", project, "down", "--volumes", timeout=120)

    def remove_images(self, *images: str) -> None:
        """Remove images, there or not; what else has their layers keeps them."""
        self._docker("image", "rm", "--force", *images, timeout=120)

    def compose(
        self,
        *words: str,
        folder: Path,
        on_line: Callable[[str], None] | None = None,
        timeout: float | None = None,
    ) -> ProcessResult:
        """`docker compose WORDS` in `folder`; the caller judges how that ended."""
        argv = ("compose", "--progress", "plain", "--project-directory", str(folder), *words)
        return self._docker(*argv, on_line=on_line, timeout=timeout)

    def environment(self, container: str) -> dict[str, str]:
        """The variables that a container was made with; empty where there is none."""
        done = self._docker("inspect", "--format", "{{json .Config.Env}}", container, timeout=60)
        said = [] if done.code else json.loads(done.stdout) or []
        return dict(each.partition("=")[::2] for each in said)

    def logs(self, container: str) -> str:
        """The last lines that a container has printed; empty where there is none."""
        done = self._docker("logs", container, on_line=lambda _: None, timeout=60)
        return "" if done.code else done.output

    def start(self, container: str) -> ProcessResult:
        """Start a container that has ended."""
        return self._docker("start", container, timeout=60)

    def diff(self, container: str) -> list[str]:
        """What differs in a container from its image, as `docker diff` prints it."""
        done = self._docker("diff", container, timeout=60)
        return [] if done.code else done.stdout.splitlines()

    def remove_volumes(self, *volumes: str) -> None:
        """Remove volumes, there or not; what a container uses stays."""
        self._docker("volume", "rm", "--force", *volumes, timeout=120)

    def check(self, thing: str, done: ProcessResult, fix: str) -> None:
        """Raise a `UserError` about `thing` where `done` failed."""
        if done.code:
            self._refuse(thing, done, fix=fix)

    def _docker(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        timeout: float | None = None,
    ) -> ProcessResult:
        return self._run(["docker", *words], env=env, on_line=on_line, timeout=timeout)

    def _refuse_build(self, thing: str, done: ProcessResult, fix: str) -> None:
        said = done.output
        if "failed to resolve source metadata" in said and any(s in said for s in _UNREACHABLE):
            found = f"no registry answers for its base image ({_reason(done)})"
            raise UserError(
                thing, found, "Build on an image that is here: workshop bases lists them"
            )
        try:
            self._refuse(thing, done, fix)
        except UserError as error:
            if error.fix != fix:
                raise
            raise BuildError(error.thing, error.found, fix) from None

    def _refuse(self, thing: str, done: ProcessResult, fix: str = "Run the command again.") -> None:
        if _FULL in done.output:
            raise UserError(
                thing,
                "the disk is full",
                "Free 5 GB or more (docker system prune removes what no container uses)",
            )
        if any(sign in done.output for sign in _GONE) or not self.info():
            raise EngineUnavailableError(thing)
        raise UserError(thing, _reason(done), fix)


def _reason(done: ProcessResult) -> str:
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
