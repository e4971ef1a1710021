"""The proxy between this machine and the internet, as its environment names it.

`HTTPS_PROXY` alone is enough: every other variable that a program may read is derived from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

# Never through a proxy: servers on this machine.
LOCAL = ("localhost", "127.0.0.1", "::1")
LOOPBACK = (*LOCAL, "0.0.0.0")  # noqa: S104 - compared with the host of a URL


@dataclass(frozen=True)
class Proxies:
    """The URLs of the proxies for `http` and `https` servers, and the hosts without one."""

    http: str
    https: str
    exceptions: tuple[str, ...]

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that name them: apt reads only those in lower case."""
        values = {
            "HTTP_PROXY": self.http,
            "HTTPS_PROXY": self.https,
            "NO_PROXY": ",".join(self.exceptions),
        }
        return values | {name.lower(): value for name, value in values.items()}


def read(environ: Mapping[str, str]) -> Proxies | None:
    """Return the proxies that an environment names; None if it names none.

    A proxy for `https` is used for `http` too, and the other way round. Lower case wins, as in
    curl and Python.
    """
    http, https, no = (
        environ.get(name.lower(), "") or environ.get(name, "")
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    )
    if not http and not https:
        return None
    exceptions = [part.strip() for part in no.split(",") if part.strip()]
    exceptions += [host for host in LOCAL if host not in exceptions]
    return Proxies(_with_scheme(http or https), _with_scheme(https or http), tuple(exceptions))


def find_fault(url: str) -> str:
    """Return what is wrong with the URL of a proxy; empty if nothing is."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return str(error)
    if parts.scheme not in {"http", "https"}:
        return f"its scheme is {parts.scheme}, not http or https"
    return "" if parts.hostname and port else "it has no host or no port"


def address(url: str) -> tuple[str, int]:
    """Return the host and the port of a proxy whose URL has no fault."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 80


def without_password(url: str) -> str:
    """Return a URL as it may be printed."""
    head, at, host = url.rpartition("@")
    return f"{head.partition('://')[0]}://...@{host}" if at else url


def _with_scheme(url: str) -> str:
    """`HTTPS_PROXY=proxy:3128` is usual, too."""
    return url if "://" in url else f"http://{url}"
