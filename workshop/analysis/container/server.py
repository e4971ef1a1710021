"""The service of a compose file whose port is published, and the server in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.model import Failed

if TYPE_CHECKING:
    from workshop.analysis.compose import Service
    from workshop.analysis.container.app import Answer
    from workshop.analysis.container.stack import Stack

SECONDS_TO_LISTEN = 30.0


@dataclass(frozen=True)
class Server:
    """A server that runs in the service called `name`, and the addresses it `listens` on."""

    stack: Stack
    name: str
    listens: tuple[tuple[str, int], ...]

    @property
    def published(self) -> list[int]:
        """The container's ports to which published ones lead."""
        return published(self.stack.plan.compose.services[self.name])

    @property
    def ports(self) -> list[int]:
        """The ports that it listens on; those that are published first."""
        found = sorted({port for _, port in self.listens})
        return sorted(found, key=lambda port: port not in self.published)

    def get(self, path: str) -> Answer:
        """What it answers."""
        return self.stack.prober(self.name).request(self.ports[0], path)

    def first(self, path: str) -> Answer:
        """Its first answer: one that reloads may listen some time before it serves."""
        self.stack.until(lambda: self.get(path).status, SECONDS_TO_LISTEN)
        return self.get(path)

    def failed(self, actual: str, expected: str) -> Failed:
        """What to tell of it, with the line of its service."""
        return Failed(actual, expected, line=self.stack.line(self.name))


def published(service: Service) -> list[int]:
    """The container's TCP ports to which published ones lead."""
    return [port.target for port in service.ports if port.protocol == "tcp"]


def service_of(stack: Stack) -> str:
    """The service whose port is published: the one that listens there, where several are."""
    services = stack.plan.compose.services
    names = [name for name in stack.services if published(services[name])]
    if not names:
        line = stack.line(stack.services[0])
        raise Failed("no service has ports", "the app's port, published", line=line)
    leading = (
        name
        for name in (names if len(names) > 1 else ())
        if {port for _, port in _listening(stack, name)} & set(published(services[name]))
    )
    return next(leading, names[0])


def find(stack: Stack) -> Server:
    """The server, once it listens; `Failed` where it does not, or ends."""
    name = service_of(stack)
    found = _listening(stack, name)
    expected = f"{name} with a server that keeps running"
    if not stack.running(name):
        raise stack.ended(name, expected)
    if not found:
        actual = f"{name} runs, and listens nowhere after {SECONDS_TO_LISTEN:.0f} s"
        raise Failed(actual + stack.last_words(name), expected, line=stack.line(name))
    return Server(stack, name, tuple(found))


def _listening(stack: Stack, name: str) -> list[tuple[str, int]]:
    """Where a service listens, as soon as it does; nothing where it has ended."""
    if not stack.running(name):
        return []
    prober = stack.prober(name)
    stack.until(lambda: prober.listening() or not stack.running(name), SECONDS_TO_LISTEN)
    return prober.listening() if stack.running(name) else []
