"""A learner's compose file, brought up: its services on no network, and seen from outside.

What runs is a compose file of the kit's own, with images that the kit has built.
"""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from workshop.analysis import compose, starter
from workshop.analysis.compose.dotenv import read_env
from workshop.analysis.container.app import Run
from workshop.core.errors import UserError
from workshop.core.paths import ROOT, is_local
from workshop.core.sanitise import plain
from workshop.model import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from workshop.analysis.compose import BuildSpec, Compose, Refusal
    from workshop.analysis.container.app import Prober
    from workshop.analysis.source import Source
    from workshop.core.process import ProcessResult
    from workshop.engine import Engine
    from workshop.model import Task

    Change = Callable[[str], str]

T = TypeVar("T")

TEMPLATE = ".env.template"
SECONDS_TO_COME_UP = 120.0
SECONDS_TO_END = 60.0
# Each look asks the docker command, which takes from what is looked at.
POLL_SECONDS = 0.5
LAST_LINES = 15

# Variables whose value nobody else should know.
SECRET = re.compile(r"(?i)secret|token|passw|api_?key")
_SETTING = re.compile(r"^(?P<name>\w+)=(?P<value>.*)$", re.MULTILINE)
_DAEMON = "Error response from daemon: "
_RUNTIME = re.compile(r".*?(?=(?:exec|error mounting|mkdir|chdir)\b)|: unknown$")


@dataclass(frozen=True)
class Plan:
    """What `docker compose up` would start: its services, and how each image is built.

    `environment` is what the file's variables are filled in with, `folder` what it stands in.
    """

    compose: Compose
    services: tuple[str, ...]
    builds: Mapping[str, BuildSpec]
    environment: Mapping[str, str]
    folder: Path

    def emit(self, images: Mapping[str, str]) -> str:
        """The kit's own compose file; `Failed` where what the learner's names is not there."""
        try:
            return compose.emit(
                self.compose,
                self.services,
                images=images,
                folder=self.folder,
                environment=self.environment,
            )
        except compose.RefusedError as refused:
            raise refusal_failed(refused.refusals[0]) from None


def read(source: Source, secret: str = "secret") -> Compose:  # noqa: S107 - a word to stand for one
    """The learner's file, its variables filled in from a `.env` like the template's."""
    text = source.read(source.task.compose)
    return compose.read(text, _variables(settings(source.task, secret)))


def sound(source: Source) -> Compose:
    """As `read`; `Failed` where docker compose could not read the file."""
    found = read(source)
    check_sound(found)
    return found


def settings(task: Task, secret: str) -> str:
    """What a learner's `.env` holds: the starter's template, with `secret` for each secret."""

    def settled(found: re.Match[str]) -> str:
        return f"{found['name']}={secret}" if SECRET.search(found["name"]) else found[0]

    root = ROOT / task.folder
    texts = [
        (root / path).read_text(encoding="utf-8")
        for path in starter.files(task)
        if Path(path).name == TEMPLATE
    ]
    return _SETTING.sub(settled, "\n".join(texts))


def check_sound(found: Compose) -> None:
    """`Failed` where docker compose could not read the file."""
    for problem in found.problems:
        if problem.text != compose.OBSOLETE:
            raise Failed(problem.text, "a file that docker compose can read", line=problem.line)


def check_harmless(found: Compose) -> None:
    """`Failed` where the file asks for what the kit runs for nobody."""
    if found.refusals:
        raise refusal_failed(found.refusals[0])


def refusal_failed(refusal: Refusal) -> Failed:
    """What a learner reads of a refusal."""
    actual = f"{refusal.where}: {refusal.found}: {refusal.why}"
    return Failed(
        plain(actual), "what lies in the folder and its containers alone", line=refusal.line
    )


def plan(source: Source, folder: Path, secret: str) -> Plan:
    """What is to be started of the learner's file, in a copy of the learner's folder.

    The copy is made as open to a container's user as the learner's own folder is to theirs.
    """
    text = settings(source.task, secret)
    found = read(source, secret)
    check_sound(found)
    check_harmless(found)
    active = tuple(name for name, service in found.services.items() if not service.profiles)
    if not active:
        raise Failed("every service has a profile", "services that `docker compose up` starts")
    _write_settings(found, folder, text)
    _open_up(folder)
    return Plan(found, active, dict(_builds(found, active)), _variables(text), folder)


class Stack:
    """The services of a plan while they run. `probe` makes a prober on a container's network."""

    def __init__(
        self, engine: Engine, project: str, plan: Plan, probe: Callable[[str], Prober]
    ) -> None:
        self._engine, self._project, self._probe = engine, project, probe
        self.plan, self.folder, self.services = plan, plan.folder, plan.services
        self._probers: dict[str, Prober] = {}

    def up(self, images: Mapping[str, str]) -> None:
        """Do what `docker compose up --detach` does; `Failed` where a service does not start."""
        file = self.folder.parent / f"{self._project}.json"
        file.write_text(self.plan.emit(images), encoding="ascii")
        words = ("--project-name", self._project, "--file", str(file), "up", "--detach")
        done = self._engine.compose(*words, folder=self.folder, timeout=SECONDS_TO_COME_UP)
        if done.code and self._engine.info() is None:
            found = "the Docker engine stopped answering"
            raise UserError("docker compose up", found, "Check again")
        if done.code:
            raise self._failed_to_start(done)

    def container(self, service: str) -> str:
        """The name of a service's container."""
        return f"{self._project}-{service}-1"

    def running(self, service: str) -> bool:
        """Whether a service's container runs now."""
        return bool(self._engine.state(self.container(service)).get("Running"))

    def logs(self, service: str) -> list[str]:
        """The lines that a service has printed."""
        said = self._engine.logs(self.container(service))
        return [plain(line) for line in said.splitlines()]

    def environment(self, service: str) -> dict[str, str]:
        """The variables that a service's container was given."""
        return self._engine.environment(self.container(service))

    def prober(self, service: str) -> Prober:
        """A prober on the network of a service; `Failed` where that does not run."""
        if service not in self._probers:
            try:
                self._probers[service] = self._probe(self.container(service))
            except UserError:
                if self.running(service):
                    raise
                raise self.ended(service, f"{service} to keep running") from None
        return self._probers[service]

    def run(self, service: str) -> Run:
        """How a service that says something and ends has ended."""
        if not self.until(lambda: not self.running(service), SECONDS_TO_END):
            actual = f"{service} still runs after {SECONDS_TO_END:.0f} s{self.last_words(service)}"
            raise Failed(actual, f"{service} to say something and end", line=self.line(service))
        code = self._engine.state(self.container(service)).get("ExitCode", -1)
        return Run(code, "\n".join(self.logs(service)))

    def ended(self, service: str, expected: str) -> Failed:
        """What to tell of a service that has ended, and should not have."""
        code = self._engine.state(self.container(service)).get("ExitCode", -1)
        actual = f"{service} ended with exit code {code}{self.last_words(service)}"
        return Failed(actual, expected, line=self.line(service))

    def last_words(self, service: str) -> str:
        """The last lines that a service has printed, to be put behind what is told of it."""
        lines = [line for line in self.logs(service) if line.strip()][-LAST_LINES:]
        return ", and printed last:\n" + "\n".join(lines) if lines else ", and printed nothing"

    def line(self, service: str) -> int:
        """Where a service begins in the learner's file."""
        return self.plan.compose.services[service].line

    @contextlib.contextmanager
    def edited(self, path: str, change: Change) -> Iterator[None]:
        """A file of the learner's folder, changed as an editor would, until the block ends."""
        file = self.folder / path
        before = file.read_text(encoding="utf-8")
        file.write_text(change(before), encoding="utf-8")
        try:
            yield
        finally:
            file.write_text(before, encoding="utf-8")

    def save(self, path: str) -> None:
        """Write a file of the learner's folder once more, as it is."""
        file = self.folder / path
        file.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")

    @staticmethod
    def until(condition: Callable[[], T], seconds: float) -> T:
        """What `condition` gives as soon as that is true, or after so many seconds."""
        deadline = time.monotonic() + seconds
        while not (found := condition()) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return found

    def _failed_to_start(self, done: ProcessResult) -> Failed:
        expected = "every service to start"
        for service in self.services:
            if error := self._engine.state(self.container(service)).get("Error"):
                said = _RUNTIME.sub("", plain(error))
                actual = f"{service} did not start: {said}{self.last_words(service)}"
                return Failed(actual, expected, line=self.line(service))
        said = plain(done.last_line).rpartition(_DAEMON)[2]
        return Failed(said.replace(f"{self._project}-", "") or "it did not start", expected, line=1)


def _builds(found: Compose, active: tuple[str, ...]) -> Iterator[tuple[str, BuildSpec]]:
    """How the image of each service is built; one may use an image that another builds."""
    made = {each.image: each.build for each in found.services.values() if each.build and each.image}
    for name in active:
        service = found.services[name]
        if spec := service.build or made.get(service.image):
            yield name, spec


def _write_settings(found: Compose, folder: Path, text: str) -> None:
    """Write the files of settings that no submission holds, where the learner's file names one."""
    for service in found.services.values():
        for named in service.env_files:
            path = folder / named.path
            if is_local(path.name) and path.parent.is_dir() and not path.exists():
                path.write_text(text, encoding="utf-8")


def _open_up(folder: Path) -> None:
    """Let everyone read and write what is in `folder`, which nobody else can get into."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o777 if path.is_dir() else path.stat().st_mode | 0o666)


def _variables(text: str) -> dict[str, str]:
    return read_env(text, {})
