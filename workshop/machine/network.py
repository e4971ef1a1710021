"""Asks servers whether they answer, and why not."""

from __future__ import annotations

import socket
import ssl
import threading
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import HTTPSHandler, Request, build_opener

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from email.message import Message

T = TypeVar("T")

SECONDS_TO_ANSWER = 6.0


class Obstacle(StrEnum):
    """What keeps a request from its server."""

    NAME = "name"
    CERTIFICATE = "certificate"
    PROXY = "proxy"
    CONNECTION = "connection"


@dataclass(frozen=True)
class Answer:
    """The status and the headers (in lower case) of a response, or the obstacle in its way."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    obstacle: Obstacle | None = None
    reason: str = ""


def ask(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    verify: bool = True,
    seconds: float = SECONDS_TO_ANSWER,
) -> Answer:
    """Send a request, through the proxy that the environment names, and return the answer.

    Without `verify`, the certificate may be anyone's: use nothing secret then, and believe nothing.
    """
    late = Answer(obstacle=Obstacle.CONNECTION, reason=f"no answer within {seconds:.0f} s")

    def ask_now() -> Answer:
        return _ask(url, method, headers or {}, verify=verify, seconds=seconds)

    return within(seconds, ask_now, late)


def within(seconds: float, work: Callable[[], T], late: T) -> T:
    """Return the result of `work`, or `late` if that takes longer: no one can stop a look-up."""
    found: list[T] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else late


def _ask(
    url: str, method: str, headers: Mapping[str, str], *, verify: bool, seconds: float
) -> Answer:
    try:
        # A missing file that SSL_CERT_FILE names is an error here, and not when it connects.
        context = ssl.create_default_context() if verify else ssl._create_unverified_context()  # noqa: S323, SLF001
        opener = build_opener(HTTPSHandler(context=context))
        request = Request(url, headers=dict(headers), method=method)  # noqa: S310
        with opener.open(request, timeout=seconds) as response:
            return _read(response.status, response.headers, response.read(100_000))
    except HTTPError as error:
        with error:
            return _read(error.code, error.headers, error.read(100_000))
    except (OSError, ValueError) as error:
        cause = error.reason if isinstance(error, URLError) else error
        return Answer(obstacle=_classify(cause), reason=_describe(cause))


def _read(status: int, headers: Message, body: bytes) -> Answer:
    return Answer(status, {name.lower(): value for name, value in headers.items()}, body)


def _classify(cause: object) -> Obstacle:
    if isinstance(cause, socket.gaierror):
        return Obstacle.NAME
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Obstacle.CERTIFICATE
    if "Tunnel connection failed" in str(cause):
        return Obstacle.PROXY
    return Obstacle.CONNECTION


def _describe(cause: object) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return cause.verify_message
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause)
