"""The service of a compose file that publishes a port, and the server in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.model import Failed

if TYPE_CHECKING:
    from workshop.analysis.compose import Service
    from workshop.analysis.container.prober_client import Response
    from workshop.analysis.container.stack import Stack

SECONDS_TO_LISTEN = 30.0


@dataclass(frozen=True)
class Server:
    """A server in the service called `name`, and the addresses and ports it `listens` on."""

    stack: Stack
    name: str
    listens: tuple[tuple[str, int], ...]

    @property
    def published(self) -> list[int]:
        """The published container ports."""
        return published_ports(self.stack.plan.compose.services[self.name])

    @property
    def ports(self) -> list[int]:
        """The ports that the server listens on, published ones first."""
        found = sorted({port for _, port in self.listens})
        return sorted(found, key=lambda port: port not in self.published)

    def get(self, path: str) -> Response:
        """Send a GET request."""
        return self.stack.prober(self.name).request(self.ports[0], path)

    def get_when_ready(self, path: str) -> Response:
        """Repeat a GET request until it succeeds: a reloader may listen before the app serves."""
        self.stack.until(lambda: self.get(path).status, SECONDS_TO_LISTEN)
        return self.get(path)

    def failed(self, actual: str, expected: str) -> Failed:
        """Return a failure at the line of the server's service."""
        return Failed(actual, expected, line=self.stack.line(self.name))


def published_ports(service: Service) -> list[int]:
    """Return the published TCP ports of a service's container."""
    return [port.target for port in service.ports if port.protocol == "tcp"]


def find_service(stack: Stack) -> str:
    """Return the service that publishes a port; of several, one that listens on its own."""
    services = stack.plan.compose.services
    names = [name for name in stack.services if published_ports(services[name])]
    if not names:
        line = stack.line(stack.services[0])
        raise Failed("no service has ports", "the app's port, published", line=line)
    serving = (
        name
        for name in (names if len(names) > 1 else ())
        if {port for _, port in _wait_to_listen(stack, name)} & set(published_ports(services[name]))
    )
    return next(serving, names[0])


def find(stack: Stack) -> Server:
    """Return the server once it listens; raise `Failed` if it does not listen, or ends."""
    name = find_service(stack)
    found = _wait_to_listen(stack, name)
    expected = f"{name} with a server that keeps running"
    if not stack.running(name):
        raise stack.ended(name, expected)
    if not found:
        actual = f"{name} runs but listens on no port after {SECONDS_TO_LISTEN:.0f} s"
        raise Failed(actual + stack.last_output(name), expected, line=stack.line(name))
    return Server(stack, name, tuple(found))


def _wait_to_listen(stack: Stack, name: str) -> list[tuple[str, int]]:
    """Wait until a service listens; return its addresses and ports, or nothing if it ended."""
    if not stack.running(name):
        return []
    prober = stack.prober(name)
    stack.until(lambda: prober.listening() or not stack.running(name), SECONDS_TO_LISTEN)
    return prober.listening() if stack.running(name) else []
