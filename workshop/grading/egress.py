"""Lets the builds of one submission reach packages, and nothing else.

Their steps run without a network. Each has a network namespace, in which a proxy of the kit
listens: no address, no name server and no other container can be reached from there, so no rule of
a firewall is needed. Every other container of the engine keeps its network.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from typing import TYPE_CHECKING, ClassVar, Self

from workshop.core.sanitise import plain
from workshop.grading import namespaces
from workshop.model import Failed

if TYPE_CHECKING:
    from asyncio import Server
    from collections.abc import Callable, Iterable

    from workshop.engine import BuildError
    from workshop.grading.proxy import Proxy

PORT = 3128
_ADDRESS = f"http://127.0.0.1:{PORT}"
# What a program prints if it connects without the proxy.
_DIRECT = re.compile(
    r"name resolution|[Nn]ame or service not known|Could ?n[o']t resolve|Network is unreachable"
    r"|EAI_AGAIN|ENOTFOUND|ENETUNREACH|dns error"
)
# What it prints if the proxy refuses a server.
_REFUSED = re.compile(r"\b403\b|Forbidden|[Pp]roxy|[Tt]unnel")
# A step takes longer to start its first program.
POLL_SECONDS = 0.01


class Egress:
    """Opens the proxy for every network namespace of the processes that `find` returns."""

    options = ("--network", "none")
    # BuildKit's own arguments: they are neither in the image nor in the key of its cache.
    arguments: ClassVar = {
        "HTTP_PROXY": _ADDRESS,
        "HTTPS_PROXY": _ADDRESS,
        "NO_PROXY": "localhost,127.0.0.1,::1",
    }

    def __init__(self, find: Callable[[], Iterable[int]], proxy: Proxy) -> None:
        self._find, self._proxy = find, proxy
        self._servers: dict[int, Server] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._thread.join()

    def explain(self, failed: BuildError) -> Failed | None:
        """Return what a failed build asked the network for, if that made it fail."""
        line, refused = failed.line, self._proxy.refused
        if self._proxy.excess:
            return Failed(f"the build {self._proxy.excess}", "a build that needs less", line=line)
        expected = "a build that asks the network for packages only"
        # A program may ask for more than it needs, and go on without.
        asked = [host for host in refused if host.partition(":")[0] in failed.output]
        if asked or (refused and _REFUSED.search(failed.output)):
            host = plain((asked or refused)[-1])
            actual = f"the build asked {host}, which is not the package index"
            return Failed(actual, expected, line=line)
        if _DIRECT.search(failed.output):
            actual = "the build connected to the network without the proxy in HTTPS_PROXY"
            return Failed(actual, expected, line=line)
        return None

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        while not self._stopped.is_set():
            found = namespaces.find(self._find())
            for number in found.keys() - self._servers.keys():
                # A step may end at any time; its namespace is then gone.
                with contextlib.suppress(OSError):
                    listening = namespaces.listen(found[number], PORT)
                    self._servers[number] = await asyncio.start_server(
                        self._proxy.serve, sock=listening
                    )
            # An open socket would keep the namespace.
            for number in self._servers.keys() - found.keys():
                self._servers.pop(number).close()
            await asyncio.sleep(POLL_SECONDS)
        for server in self._servers.values():
            server.close()
