"""The servers that packages come from: the index of this machine's pip, and Debian's mirrors.

No server is named here: pip's settings and the base images name them.
"""

from __future__ import annotations

import contextlib
import functools
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit
from urllib.request import Request, urlopen

from workshop.core.errors import UserError
from workshop.core.process import SubprocessRunner
from workshop.grading.proxy import Origin, parse_origin
from workshop.grading.references import base_images
from workshop.machine.base_images import package_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from workshop.engine import Engine
    from workshop.grading.cache import Cache

_SECONDS = 30
_LINK = re.compile(r'href="([^"#]+)')
_ADDRESS = re.compile(r"https?://[^\s\]]+")
_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)
_READ_SOURCES = "cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true"
_OPTIONS = ("--rm", "--pull=never", "--network=none", "--cap-drop=ALL", "--log-driver=none")


class PackageHosts:
    """Tells which servers packages come from. It looks them up when a build asks for one.

    `new_container` returns the name of a container that may be started.
    """

    def __init__(self, engine: Engine, cache: Cache, new_container: Callable[[], str]) -> None:
        self._engine, self._cache, self._new_container = engine, cache, new_container
        self._lock = threading.Lock()
        self._mirrors: frozenset[Origin] | None = None

    def allows(self, origin: Origin) -> bool:
        """Whether packages come from a server."""
        index = _index()
        return (
            origin in _origins([index]) or origin in _files(index) or origin in self._find_mirrors()
        )

    def _find_mirrors(self) -> frozenset[Origin]:
        """Return the mirrors in the apt sources of the course's base images."""
        with self._lock:
            if self._mirrors is None:
                with ThreadPoolExecutor() as threads:
                    found = [*threads.map(self._read_addresses, sorted(base_images()))]
                self._mirrors = _origins(address for addresses in found for address in addresses)
            return self._mirrors

    def _read_addresses(self, image: str) -> list[str]:
        image_id = self._engine.inspect(image, "{{.Id}}")
        known = self._cache.get_value("apt sources", image_id) if image_id else []
        if known is None:
            command = ("sh", "-c", _READ_SOURCES)
            name = self._new_container()
            done = self._engine.run(name, image_id, _OPTIONS, command, timeout=_SECONDS)
            known = _ADDRESS.findall(_COMMENT.sub("", "" if done.code else done.stdout))
            if not done.code:
                self._cache.put_value(known, "apt sources", image_id)
        return list(known)


@functools.cache
def _index() -> str:
    with contextlib.suppress(UserError):
        return package_index(SubprocessRunner())
    return ""


@functools.cache
def _files(index: str) -> frozenset[Origin]:
    """Return the servers that the page of one package links to: an index may hold no files."""
    page = index.rstrip("/") + "/pip/"
    with contextlib.suppress(OSError, ValueError):
        asked = Request(page, headers={"Accept": "text/html"})  # noqa: S310 - pip's own address
        with urlopen(asked, timeout=_SECONDS) as answer:  # noqa: S310
            links = _LINK.findall(answer.read().decode("utf-8", errors="replace"))
        return _origins(urljoin(page, link) for link in links)
    return frozenset()


def _origins(addresses: Iterable[str]) -> frozenset[Origin]:
    found = set()
    for address in addresses:
        with contextlib.suppress(ValueError):
            found.add(parse_origin(urlsplit(address)))
    return frozenset(found)
