"""An HTTP proxy that reaches only allowed hosts, within limits on connections and bytes.

It serves one request for each connection: CONNECT, which opens a tunnel for TLS to the named host
alone, or a GET or HEAD without a body. So there is no second request that could be smuggled in.
It logs nothing, and passes no credentials for itself on.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
from base64 import b64encode
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from workshop.core.sizes import format_bytes
from workshop.grading.server_name import read_server_name

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Callable

    from workshop.grading.limits import Quota

MOST_OPEN = 64
SECONDS_TO_ASK = 20.0
SECONDS_TO_CONNECT = 20.0
SECONDS_IDLE = 120.0
SECONDS_TO_DRAIN = 5.0
_HEAD_BYTES = 16_384
_CHUNK = 65_536
# Stricter than HTTP allows: without folded lines, blanks before a colon, and bare line feeds.
_HEAD = re.compile(
    rb"(CONNECT|GET|HEAD) ([!-~]+) HTTP/1\.[01]\r\n"
    rb"((?:[\w!#$%&'*+.^`|~-]+:[^\r\n\0]*\r\n)*)\r\n"
)
_AUTHORITY = re.compile(r"([\w.-]+):(\d{1,5})")
_BODY = {"content-length", "transfer-encoding"}
_NOT_FORWARDED = {"host", "connection", "proxy-connection", "keep-alive", "te", "upgrade"}
_REASONS = {400: "Bad Request", 403: "Forbidden", 429: "Too Many Requests", 502: "Bad Gateway"}


class Origin(NamedTuple):
    """A server, as in a URL; `scheme` is `http` or `https`."""

    scheme: str
    host: str
    port: int

    @property
    def label(self) -> str:
        """The host, with its port unless that is the usual one."""
        usual = {"http": 80, "https": 443}[self.scheme]
        return self.host if self.port == usual else f"{self.host}:{self.port}"


class RefusedError(Exception):
    """A request that the proxy does not serve, with the status of its response."""

    def __init__(self, status: int) -> None:
        self.status = status


class Request(NamedTuple):
    """A request: the `head` is what a server gets, and empty for a tunnel."""

    origin: Origin
    head: bytes = b""


def parse_origin(parts: SplitResult) -> Origin:
    """Return the server of a URL; raise `ValueError` if the URL has none, or a password."""
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValueError(parts.geturl())
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Origin(parts.scheme, parts.hostname.lower().rstrip("."), port)


def parse_request(head: bytes) -> Request:
    """Parse a request with its headers; raise `RefusedError` if it is not one of the served."""
    found = _HEAD.fullmatch(head)
    if not found:
        raise RefusedError(400)
    target = found[2].decode("ascii")
    if found[1] == b"CONNECT":
        authority = _AUTHORITY.fullmatch(target)
        if not authority:
            raise RefusedError(400)
        return Request(Origin("https", authority[1].lower().rstrip("."), int(authority[2])))
    try:
        parts = urlsplit(target)
        origin = parse_origin(parts)
    except ValueError:
        raise RefusedError(400) from None
    lines = [line.partition(b":") for line in found[3].split(b"\r\n") if line]
    headers = [(name.decode("ascii").lower(), value.strip()) for name, _, value in lines]
    if origin.scheme != "http" or any(name in _BODY for name, _ in headers):
        raise RefusedError(400)
    path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    kept = [
        b"%s: %s\r\n" % (name.encode(), value)
        for name, value in headers
        if name not in _NOT_FORWARDED and not name.startswith("proxy-")
    ]
    first = b"%s %s HTTP/1.1\r\n" % (found[1], path.encode())
    named = b"host: %s\r\nconnection: close\r\n" % origin.label.encode()
    return Request(origin, b"".join([first, named, *kept, b"\r\n"]))


class Proxy:
    """Serves the requests of one submission, and counts them.

    `allows` tells whether a server may be reached; it may take its time.
    """

    def __init__(self, allows: Callable[[Origin], bool], quota: Quota) -> None:
        self._allows, self._quota = allows, quota
        self._open = self.connections = self.received = self.sent = 0
        self.refused: list[str] = []
        self.excess = ""

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Serve one connection, and close it."""
        self._open += 1
        try:
            await self._answer(reader, writer)
        except RefusedError as refused:
            writer.write(_response(refused.status))
            await _drain(reader, writer)
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            pass
        finally:
            self._open -= 1
            writer.close()

    async def _answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        async with asyncio.timeout(SECONDS_TO_ASK):
            request = parse_request(await reader.readuntil(b"\r\n\r\n"))
        await self._admit(request.origin)
        self._count_sent(len(request.head))
        try:
            async with asyncio.timeout(SECONDS_TO_CONNECT):
                server, to_server = await _connect(request)
        except (OSError, EOFError, TimeoutError):
            raise RefusedError(502) from None
        try:
            if not request.head:
                await self._tunnel(request.origin, (reader, writer), (server, to_server))
                return
            # A response that has begun cannot become another one.
            with contextlib.suppress(RefusedError):
                await self._copy(server, writer, self._count_received)
                await _drain(reader, writer)
        finally:
            to_server.close()

    async def _admit(self, origin: Origin) -> None:
        """Raise `RefusedError` unless the server may be reached now."""
        if self._open > MOST_OPEN or self.excess:
            raise RefusedError(429)
        self.connections += 1
        if self.connections > self._quota.connections:
            self._exceed(f"opened more than {self._quota.connections} connections to package hosts")
        if not await asyncio.to_thread(self._allows, origin):
            self.refused.append(origin.label)
            raise RefusedError(403)

    async def _tunnel(
        self,
        origin: Origin,
        client: tuple[StreamReader, StreamWriter],
        server: tuple[StreamReader, StreamWriter],
    ) -> None:
        """Connect the client with the server, if the client asks for this server's certificate.

        Many servers share one address: without that, a tunnel would reach each of them.
        """
        client[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        hello, name = await _read_hello(client[0])
        if name != ("" if _is_address(origin.host) else origin.host):
            self.refused.append(name or f"{origin.host} without TLS")
            return
        self._count_sent(len(hello))
        server[1].write(hello)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._copy(client[0], server[1], self._count_sent))
                group.create_task(self._copy(server[0], client[1], self._count_received))
        except* (OSError, TimeoutError, RefusedError):
            pass

    async def _copy(
        self, reader: StreamReader, writer: StreamWriter, count: Callable[[int], None]
    ) -> None:
        """Copy until the end of the stream; raise `TimeoutError` if nothing moves any longer."""
        while True:
            async with asyncio.timeout(SECONDS_IDLE):
                data = await reader.read(_CHUNK)
                if not data:
                    break
                count(len(data))
                writer.write(data)
                await writer.drain()
        writer.write_eof()

    def _count_sent(self, size: int) -> None:
        self.sent += size
        if self.sent > self._quota.sent:
            self._exceed(f"sent more than {format_bytes(self._quota.sent)} to package hosts")

    def _count_received(self, size: int) -> None:
        self.received += size
        if self.received > self._quota.received:
            self._exceed(f"downloaded more than {format_bytes(self._quota.received)}")

    def _exceed(self, excess: str) -> None:
        self.excess = self.excess or excess
        raise RefusedError(429)


async def _read_hello(reader: StreamReader) -> tuple[bytes, str]:
    """Read how a client begins with TLS; return that, and the server that it names."""
    hello = b""
    async with asyncio.timeout(SECONDS_TO_ASK):
        while (name := read_server_name(hello)) is None:
            data = await reader.read(_HEAD_BYTES)
            hello += data
            if not data or len(hello) > _HEAD_BYTES:
                raise EOFError
    return hello, name


async def _connect(request: Request) -> tuple[StreamReader, StreamWriter]:
    """Connect to a server, or to the proxy of this machine that leads to it, and send the head."""
    origin = request.origin
    address = "" if proxy_bypass(origin.host) else getproxies().get(origin.scheme, "")
    if not address:
        reader, writer = await asyncio.open_connection(origin.host, origin.port)
        writer.write(request.head)
        return reader, writer
    parts = urlsplit(address if "://" in address else f"http://{address}")
    reader, writer = await asyncio.open_connection(
        parts.hostname, parts.port or 80, ssl=parts.scheme == "https" or None
    )
    password = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()
    login = b"proxy-authorization: Basic %s\r\n" % b64encode(password) if parts.username else b""
    server = f"{origin.host}:{origin.port}".encode()
    if request.head:
        method, _, rest = request.head.partition(b" ")
        first, _, headers = rest.partition(b"\r\n")
        writer.write(b"%s http://%s%s\r\n%s%s" % (method, server, first, login, headers))
        return reader, writer
    writer.write(b"CONNECT %s HTTP/1.1\r\nhost: %s\r\n%s\r\n" % (server, server, login))
    answer = await reader.readuntil(b"\r\n\r\n")
    if answer.split(b" ", 2)[1:2] != [b"200"]:
        writer.close()
        raise ConnectionError
    return reader, writer


async def _drain(reader: StreamReader, writer: StreamWriter) -> None:
    """End a response, and wait until the client has read it.

    A connection that is closed with requests unread loses the end of the response.
    """
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(SECONDS_TO_DRAIN):
            await writer.drain()
            if not writer.is_closing():
                writer.write_eof()
            while await reader.read(_CHUNK):
                pass


def _response(status: int) -> bytes:
    reason = _REASONS[status].encode()
    return b"HTTP/1.1 %d %s\r\nconnection: close\r\ncontent-length: 0\r\n\r\n" % (status, reason)


def _is_address(host: str) -> bool:
    """Whether a host is an IP address, which TLS does not name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
