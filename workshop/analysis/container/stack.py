"""Runs a learner's compose file without a network, and observes its services from outside.

Docker runs a compose file that the kit writes, with images that the kit builds.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, TypeVar

from workshop.analysis.container.app import Run
from workshop.analysis.container.excess import RunLimits, check_memory
from workshop.analysis.container.runtime_error import strip_wrapping
from workshop.core.errors import UserError
from workshop.core.sanitise import plain
from workshop.model import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from workshop.analysis.container.prober_client import Prober
    from workshop.analysis.container.stack_plan import Plan
    from workshop.core.process import ProcessResult
    from workshop.engine import Engine

T = TypeVar("T")

SECONDS_TO_COME_UP = 120.0
SECONDS_TO_END = 60.0
# Each poll runs the docker command, which slows the containers down.
POLL_SECONDS = 0.5
LAST_LINES = 15


class Stack:
    """The running services of a plan; `probe` starts a prober on a container's network.

    Each service has `limits`.
    """

    def __init__(
        self,
        engine: Engine,
        project: str,
        plan: Plan,
        probe: Callable[[str], Prober],
        limits: RunLimits = RunLimits(),  # noqa: B008 - a tuple
    ) -> None:
        self._limits = limits
        self._engine, self._project, self._probe = engine, project, probe
        self.plan, self.folder, self.services = plan, plan.folder, plan.services
        self._probers: dict[str, Prober] = {}

    def up(self, images: Mapping[str, str]) -> None:
        """Run `docker compose up --detach`; raise `Failed` if a service does not start."""
        file = self.folder.parent / f"{self._project}.json"
        file.write_text(self.plan.emit(images, self._limits.settings), encoding="ascii")
        arguments = ("--project-name", self._project, "--file", str(file), "up", "--detach")
        done = self._engine.compose(*arguments, folder=self.folder, timeout=SECONDS_TO_COME_UP)
        if done.code and self._engine.info() is None:
            found = "the Docker engine stopped answering"
            raise UserError("docker compose up", found, "Check again")
        if done.code:
            raise self._failed_to_start(done)

    def container(self, service: str) -> str:
        """Return the container name of a service."""
        return f"{self._project}-{service}-1"

    def running(self, service: str) -> bool:
        """Whether a service's container is running."""
        return bool(self._engine.state(self.container(service)).get("Running"))

    def logs(self, service: str) -> list[str]:
        """Return the lines that a service has printed."""
        output = self._engine.logs(self.container(service))
        return [plain(line) for line in output.splitlines()]

    def environment(self, service: str) -> dict[str, str]:
        """Return the environment variables of a service's container."""
        return self._engine.environment(self.container(service))

    def prober(self, service: str) -> Prober:
        """Return a prober on a service's network; raise `Failed` if the service has ended."""
        if service not in self._probers:
            try:
                self._probers[service] = self._probe(self.container(service))
            except UserError:
                if self.running(service):
                    raise
                raise self.ended(service, f"{service} to keep running") from None
        return self._probers[service]

    def run(self, service: str) -> Run:
        """Wait for a service to end; return its exit code and output."""
        if not self.until(lambda: not self.running(service), SECONDS_TO_END):
            output = self.last_output(service)
            actual = f"{service} still runs after {SECONDS_TO_END:.0f} s{output}"
            expected = f"{service} to print its output and end"
            raise Failed(actual, expected, line=self.line(service))
        self.check_memory(service)
        return Run(self._exit_code(service), "\n".join(self.logs(service)))

    def check_memory(self, service: str) -> None:
        """Raise `Failed` if a service ended because it used more memory than it may."""
        name, code = self.container(service), self._exit_code(service)
        try:
            check_memory(self._engine, name, code, self._limits.memory)
        except Failed as failed:
            actual = f"{service} ended with {failed.actual}"
            raise Failed(actual, failed.expected, line=self.line(service)) from None

    def ended(self, service: str, expected: str) -> Failed:
        """Return the failure of a service that has ended unexpectedly.

        Raise `Failed` if it ended because of its memory.
        """
        self.check_memory(service)
        code = self._exit_code(service)
        actual = f"{service} ended with exit code {code}{self.last_output(service)}"
        return Failed(actual, expected, line=self.line(service))

    def last_output(self, service: str) -> str:
        """Return the last lines that a service has printed, to be appended to a message."""
        lines = [line for line in self.logs(service) if line.strip()][-LAST_LINES:]
        return "; its last lines were:\n" + "\n".join(lines) if lines else " and printed nothing"

    def line(self, service: str) -> int:
        """Return the line number of a service in the learner's file."""
        return self.plan.compose.services[service].line

    @contextlib.contextmanager
    def edited(self, path: str, change: Callable[[str], str]) -> Iterator[None]:
        """Change a file in the learner's folder, as an editor would, until the block ends."""
        file = self.folder / path
        before = file.read_text(encoding="utf-8")
        file.write_text(change(before), encoding="utf-8")
        try:
            yield
        finally:
            file.write_text(before, encoding="utf-8")

    def save(self, path: str) -> None:
        """Write a file in the learner's folder again, without a change."""
        file = self.folder / path
        file.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")

    @staticmethod
    def until(condition: Callable[[], T], seconds: float) -> T:
        """Poll `condition` until it is true or `seconds` have passed; return its last value."""
        deadline = time.monotonic() + seconds
        while not (found := condition()) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return found

    def _exit_code(self, service: str) -> int:
        return int(self._engine.state(self.container(service)).get("ExitCode", -1))

    def _failed_to_start(self, done: ProcessResult) -> Failed:
        expected = "every service to start"
        for service in self.services:
            if error := self._engine.state(self.container(service)).get("Error"):
                reason = strip_wrapping(plain(error))
                actual = f"{service} did not start: {reason}{self.last_output(service)}"
                return Failed(actual, expected, line=self.line(service))
        message = strip_wrapping(plain(done.last_line))
        message = message.replace(f"{self._project}-", "")
        return Failed(message or "it did not start", expected, line=1)
