"""`Engine`: the docker commands that the kit runs."""

from __future__ import annotations

import contextlib
import functools
import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from workshop.core.errors import UserError
from workshop.core.process import TIMED_OUT, ProcessResult, Runner, SubprocessRunner
from workshop.engine.build import (
    Build,
    BuildError,
    failed_line,
    failed_output,
    failure_reason,
    is_network_failure,
    is_registry_failure,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from workshop.core.process import InteractiveProcess

KIT_LABEL = "workshop.engine=kit"
# Of an engine whose build steps get its proxy and its certificates.
PROXY_LABEL = "workshop.proxy=shared"
STANDIN_LABEL = "workshop.standin"

# What the docker CLI and BuildKit print if the engine stops while they use it.
_STOPPED = (
    "Cannot connect to the Docker daemon",
    "error during connect",
    "error reading from server: EOF",
    "failed to list workers",
)
# What it prints for an image that it does not have, and for a name that no image can have.
_NO_IMAGE = ("No such image", "invalid reference format")
_DISK_FULL = "no space left on device"
_PERMISSION_DENIED = "permission denied while trying to connect"


# In the output of `docker compose version` and `docker buildx version`.
_VERSION = re.compile(r"\bv?(\d+\.\d+[^\s,]*)")


class EngineUnavailableError(UserError):
    """The engine does not answer."""

    def __init__(self, thing: str) -> None:
        super().__init__(thing, "the Docker engine stopped answering", "Run the command again")


@dataclass(frozen=True)
class Info:
    """What `docker info` reports. `ours` is true for an engine that the kit has started.

    `id` differs for each engine; `root` is the folder of its files. `system` is the operating
    system of its containers, `clock` its time, and `proxy` the one that it pulls through.
    `shares_proxy` is true if it gives its proxy and its certificates to the steps of builds.
    """

    version: str
    root: str
    ours: bool
    id: str = ""
    system: str = "linux"
    architecture: str = ""
    clock: datetime | None = None
    proxy: str = ""
    mirrors: tuple[str, ...] = ()
    rootless: bool = False
    limits_memory: bool = True
    shares_proxy: bool = False


class Engine:
    """The engine that the docker CLI on this machine connects to."""

    def __init__(self, run: Runner | None = None) -> None:
        """`run` executes the docker CLI; unit tests pass a fake."""
        self._run = run or SubprocessRunner()

    def info(self) -> Info | None:
        """Return the engine's `docker info`, or None if no engine answers."""
        done = self._docker("info", "--format", "{{json .}}", timeout=30)
        try:
            info = json.loads(done.stdout)
        except ValueError:
            return None
        if done.code or not isinstance(info, dict) or not info.get("ServerVersion"):
            return None
        return _parse_info(info)

    def instance(self) -> str:
        """Return an id that changes whenever the engine starts; empty if none answers.

        It is the id of the default network, which the engine creates again when it starts.
        """
        done = self._docker("network", "inspect", "--format", "{{.Id}}", "bridge", timeout=30)
        return "" if done.code else done.stdout.strip()

    @functools.cached_property
    def root(self) -> str:
        """The folder of the engine's files, on its machine; empty if no engine answers."""
        info = self.info()
        return info.root if info else ""

    @functools.cached_property
    def is_here(self) -> bool:
        """Whether the engine runs on this machine: its id is in one of its files.

        Its processes and network are then those of this machine. Only root can read the file.
        """
        info = self.info()
        try:
            return info is not None and Path(info.root, "engine-id").read_text().strip() == info.id
        except (OSError, ValueError):
            return False

    def require(self, thing: str) -> None:
        """Raise `EngineUnavailableError` about `thing` if no engine answers."""
        if self.info() is None:
            raise EngineUnavailableError(thing)

    def is_forbidden(self) -> bool:
        """Whether an engine runs that this user has no permission to use."""
        return _PERMISSION_DENIED in self._docker("info", timeout=30).output

    def lacks(self, plugin: str) -> bool:
        """Whether the docker CLI lacks a plug-in (`compose`, `buildx`)."""
        return self.plugin_version(plugin) is None

    def plugin_version(self, plugin: str) -> str | None:
        """Return the version of a plug-in of the docker CLI; None if it lacks the plug-in."""
        done = self._docker(plugin, "version", timeout=30)
        found = _VERSION.search(done.stdout)
        return None if done.code else (found[1] if found else "of an unknown version")

    def publishers(self, port: int) -> dict[str, str]:
        """Return the running containers that publish `port`: name and compose project."""
        template = '{{.Names}}\t{{.Label "com.docker.compose.project"}}'
        argv = ("ps", "--filter", f"publish={port}", "--format", template)
        lines = self._docker(*argv, timeout=30).stdout.splitlines()
        return dict(line.partition("\t")[::2] for line in lines)

    def inspect(self, image: str, template: str) -> str:
        """Return `docker image inspect` with a Go template; empty if there is no such image.

        No image has an invalid name.
        """
        done = self._docker("image", "inspect", "--format", template, image, timeout=60)
        # A Dockerfile with an empty variable names an image that cannot exist: python:-slim.
        if done.code and not any(text in done.output for text in _NO_IMAGE):
            self._fail(f"image {image}", done)
        return "" if done.code else done.stdout.strip()

    def layers(self, images: Sequence[str]) -> dict[str, list[str]]:
        """Return the diff IDs of those images that exist, by all their names; from one call."""
        template = "[{{json .RepoTags}}, {{json .RootFS.Layers}}]"
        done = self._docker("image", "inspect", "--format", template, *images, timeout=60)
        if done.code and not any(text in done.output for text in _NO_IMAGE):
            self._fail(f"images {', '.join(images)}", done)
        found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
        return {tag: layers or [] for tags, layers in found for tag in tags or ()}

    def history(self, image: str) -> list[str]:
        """Return the instruction behind each entry of an image's history, oldest first."""
        argv = ("history", "--no-trunc", "--format", "{{json .CreatedBy}}", image)
        done = self._docker(*argv, timeout=60)
        self.check(f"image {image}", done, "Run the command again")
        return [json.loads(line) for line in reversed(done.stdout.splitlines())]

    def has(self, image: str) -> bool:
        """Whether the engine has `image`."""
        return bool(self.inspect(image, "{{.Id}}"))

    def size(self, image: str) -> int:
        """Return the size of `image` in bytes with its base; 0 if there is no such image."""
        return int(self.inspect(image, "{{.Size}}") or 0)

    def standin_for(self, image: str) -> str:
        """Return the base image that `image`, or its base, is a stand-in for; else empty."""
        template = f'{{{{with .Config.Labels}}}}{{{{index . "{STANDIN_LABEL}"}}}}{{{{end}}}}'
        return self.inspect(image, template)

    def pull(self, image: str, on_line: Callable[[str], None] | None = None) -> ProcessResult:
        """Pull `image`; the caller checks the result."""
        return self._docker("pull", image, on_line=on_line)

    def tag(self, image: str, name: str) -> None:
        """Give an image another name."""
        self.check(f"image {image}", self._docker("tag", image, name), "Run the command again")

    @property
    def architecture(self) -> str:
        """The architecture of the engine's machine, such as `amd64`; empty if none answers."""
        done = self._docker("version", "--format", "{{.Server.Arch}}", timeout=30)
        return "" if done.code else done.stdout.strip()

    def build(
        self,
        build: Build,
        on_line: Callable[[str], None] | None = None,
        timeout: float | None = None,
    ) -> ProcessResult:
        """Build an image and return BuildKit's output; `timeout` is in seconds.

        A `BuildError` names the step that failed.
        """
        # BuildKit would otherwise add an attestation that differs for each build.
        env = {"BUILDKIT_PROGRESS": build.progress, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
        done = self._docker(*build.argv(), env=env, on_line=on_line, timeout=timeout)
        thing = f"image {build.image}"
        if done.code == TIMED_OUT:
            found = f"the build did not end within {timeout or 0:.0f} s"
            raise BuildError(thing, found, "Look for a step that waits for something")
        if done.code:
            self._fail_build(thing, done, f"See all of it with: docker {' '.join(build.argv())}")
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
        """Run a container until it exits; the caller removes it with `remove`."""
        argv = ["run", "--name", name, *options, image, *command]
        return self._docker(*argv, on_line=on_line, timeout=timeout)

    @contextlib.contextmanager
    def interact(
        self, name: str, image: str, options: Sequence[str], command: Sequence[str]
    ) -> Iterator[InteractiveProcess]:
        """Run a container that answers line by line; the caller removes it with `remove`."""
        argv = ["docker", "run", "--interactive", "--name", name, *options, image, *command]
        with self._run.interact(argv) as interact:
            yield interact

    @contextlib.contextmanager
    def save(self, image: str) -> Iterator[IO[bytes]]:
        """Open the output of `docker save` as a stream."""
        with self._run.stream(["docker", "save", image]) as stream:
            yield stream

    def state(self, container: str) -> dict[str, Any]:
        """Return a container's state from `docker inspect`; empty if there is no container."""
        return dict(json.loads(self._inspect_container(container, ".State") or "{}") or {})

    def environment(self, container: str) -> dict[str, str]:
        """Return a container's environment variables; empty if there is no container."""
        variables = json.loads(self._inspect_container(container, ".Config.Env")) or []
        return dict(variable.partition("=")[::2] for variable in variables)

    def processes(self, container: str) -> list[list[str]]:
        """Return uid, pid, parent's pid and command of each process, as the host sees them."""
        done = self._docker("top", container, "-eo", "uid,pid,ppid,args", timeout=60)
        rows = done.stdout.splitlines()[1:] if not done.code else []
        return [row.split(maxsplit=3) for row in rows]

    def execute(
        self, container: str, command: Sequence[str], timeout: float | None = None
    ) -> ProcessResult:
        """Run a command in a running container."""
        return self._docker("exec", container, *command, timeout=timeout)

    def stop(self, container: str, seconds: int) -> None:
        """Stop a container with SIGTERM, and with SIGKILL after `seconds`."""
        self._docker("stop", "--time", str(seconds), container, timeout=seconds + 60)

    # Each `remove` returns whether the engine answered.

    def remove(self, *containers: str) -> bool:
        """Remove containers with their anonymous volumes, running or not, existing or not."""
        return not containers or self._remove("rm", "--force", "--volumes", *containers)

    def remove_project(self, project: str) -> bool:
        """Remove the containers, networks and volumes of a compose project."""
        return self._remove("compose", "--project-name", project, "down", "--volumes")

    def remove_images(self, *images: str) -> bool:
        """Remove images, existing or not; layers that other images use stay."""
        return self._remove("image", "rm", "--force", *images)

    def remove_volumes(self, *volumes: str) -> bool:
        """Remove volumes, existing or not; a volume that a container uses stays."""
        return self._remove("volume", "rm", "--force", *volumes)

    def _remove(self, *arguments: str) -> bool:
        done = self._docker(*arguments, timeout=120)
        has_stopped = done.code and any(sign in done.output for sign in _STOPPED)
        return not has_stopped and done.code != TIMED_OUT

    def compose(
        self,
        *arguments: str,
        folder: Path,
        on_line: Callable[[str], None] | None = None,
        timeout: float | None = None,
    ) -> ProcessResult:
        """Run `docker compose ARGUMENTS` in `folder`; the caller checks the result."""
        argv = ("compose", "--progress", "plain", "--project-directory", str(folder), *arguments)
        return self._docker(*argv, on_line=on_line, timeout=timeout)

    def logs(self, container: str) -> str:
        """Return the last lines of a container's output; empty if there is no container."""
        done = self._docker("logs", container, on_line=lambda _: None, timeout=60)
        return "" if done.code else done.output

    def log_files(self, containers: Sequence[str]) -> list[str]:
        """Return the files with the output of containers, on the engine's machine."""
        if not containers:
            return []
        done = self._docker(
            "container", "inspect", "--format", "{{.LogPath}}", *containers, timeout=60
        )
        return [line for line in done.stdout.splitlines() if line.startswith("/")]

    def folders(self, containers: Sequence[str]) -> list[str]:
        """Return the folders of the engine's machine that running containers write to."""
        template = "{{.GraphDriver.Data.UpperDir}}{{range .Mounts}}\n{{.Source}}{{end}}"
        if not containers:
            return []
        # Names of containers that do not exist only make it fail.
        done = self._docker("container", "inspect", "--format", template, *containers, timeout=60)
        return [line for line in done.stdout.splitlines() if line.startswith("/")]

    def start(self, container: str) -> ProcessResult:
        """Start a stopped container."""
        return self._docker("start", container, timeout=60)

    def diff(self, container: str) -> list[str]:
        """Return the lines of `docker diff`: how a container differs from its image."""
        done = self._docker("diff", container, timeout=60)
        return [] if done.code else done.stdout.splitlines()

    def check(self, thing: str, done: ProcessResult, fix: str) -> None:
        """Raise a `UserError` about `thing` if `done` failed."""
        if done.code:
            self._fail(thing, done, fix)

    def _docker(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        timeout: float | None = None,
    ) -> ProcessResult:
        return self._run(["docker", *arguments], env=env, on_line=on_line, timeout=timeout)

    def _inspect_container(self, container: str, field: str) -> str:
        template = f"{{{{json {field}}}}}"
        done = self._docker("inspect", "--format", template, container, timeout=60)
        return "null" if done.code else done.stdout

    def _fail_build(self, thing: str, done: ProcessResult, fix: str) -> None:
        if is_registry_failure(done.output):
            found = f"no registry answers for its base image ({failure_reason(done)})"
            fix = "Build on an image that is here: workshop bases lists them"
            raise UserError(thing, found, fix)
        if is_network_failure(done.output):
            raise UserError(thing, "the Docker engine has no network for builds", "Restart Docker")
        try:
            self._fail(thing, done, fix)
        except UserError as error:
            if error.fix != fix:
                raise
            failed = BuildError(error.thing, error.found, fix)
            failed.line = failed_line(done.output)
            failed.output = failed_output(done.output)
            raise failed from None

    def _fail(self, thing: str, done: ProcessResult, fix: str = "Run the command again.") -> None:
        if _DISK_FULL in done.output:
            fix = "Free 5 GB or more (docker system prune removes what no container uses)"
            raise UserError(thing, "the disk is full", fix)
        if any(sign in done.output for sign in _STOPPED) or not self.info():
            raise EngineUnavailableError(thing)
        raise UserError(thing, failure_reason(done), fix)


def _parse_info(info: Mapping[str, Any]) -> Info:
    labels = info["Labels"] or []
    registry = info.get("RegistryConfig") or {}
    security = info.get("SecurityOptions") or []
    return Info(
        info["ServerVersion"],
        info["DockerRootDir"],
        ours=KIT_LABEL in labels,
        id=info.get("ID") or "",
        system=info.get("OSType") or "linux",
        architecture=info.get("Architecture") or "",
        clock=_parse_time(info.get("SystemTime") or ""),
        proxy=info.get("HttpsProxy") or info.get("HttpProxy") or "",
        mirrors=tuple(registry.get("Mirrors") or ()),
        rootless=any(option.startswith("name=rootless") for option in security),
        limits_memory=info.get("MemoryLimit", True),
        shares_proxy=PROXY_LABEL in labels,
    )


def _parse_time(text: str) -> datetime | None:
    """Parse a time of RFC 3339, which may have nanoseconds."""
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    return None
