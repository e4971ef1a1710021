"""Who may use the desk: a link that is valid once, then a cookie, from the desk's own page only.

The page runs a shell, so every request and every WebSocket is checked:

- Host: a name that resolves to loopback, or an address. A DNS rebinding attack needs another name.
- The cookie, which the link sets. Its `Path` is a secret too: browsers send a cookie to
  every port of a host, and thus to each container that a lesson publishes on this machine.
- Origin and Sec-Fetch-Site: no page of another origin, not even of another port, sends requests.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import HTMLResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from desk.session import Session

COOKIE = "workshop-desk"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
READING = frozenset({"GET", "HEAD"})

# `diagrams`, `default` and `dompurify` are for Mermaid: see web/src/diagrams.js.
# xterm.js and CodeMirror write their style sheets with a script, hence 'unsafe-inline'.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types lesson diagrams default dompurify"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": PAGE_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

HELP = """<code>workshop learn</code> prints a link, which opens the desk once. For another browser,
type <code>workshop learn</code> again, in another terminal: your desk keeps running, and you get a
new link."""
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">{head}<title>{title}</title><h1>{title}</h1><p>{text}</p></html>"""


@dataclass(frozen=True)
class Access:
    """ASGI middleware that refuses every request but those of the learner's own page.

    `hosts` has the names and addresses in the Host header besides loopback; `*` allows every IP
    address, because only a name can be rebound.
    """

    app: ASGIApp
    session: Session
    hosts: frozenset[str] = frozenset()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a page that says why it is refused."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self._is_own_host(headers):
            await _refuse(scope, receive, send, "This address is not the desk's")
        elif token := scope["path"] == "/" and QueryParams(scope["query_string"]).get("token"):
            if self._is_new(token, scope, headers):
                await self._welcome(scope, receive, send)
            else:
                await _refuse(scope, receive, send, "This link was used before, or is not complete")
        elif not self._has_cookie(headers):
            await _refuse(scope, receive, send, "This browser may not open the desk yet")
        elif not _is_own_page(scope, headers):
            await _refuse(scope, receive, send, "Another page asked for the desk")
        else:
            await self.app(scope, receive, _protected(send))

    def _is_own_host(self, headers: Headers) -> bool:
        name = _hostname(headers.get("host", ""))
        if name in LOOPBACK or name in self.hosts:
            return True
        return "*" in self.hosts and _is_address(name.strip("[]"))

    def _is_new(self, token: str, scope: Scope, headers: Headers) -> bool:
        # A browser that only prepares a page, or a program that looks at the link, does not use it.
        is_opened = scope.get("method") == "GET" and "sec-purpose" not in headers
        return is_opened and self.session.redeem(token)

    def _has_cookie(self, headers: Headers) -> bool:
        # Not SimpleCookie: a container on another port may add a cookie of this name, or one that
        # cannot be read, and must not lock the learner out.
        pairs = (part.strip().partition("=") for part in headers.get("cookie", "").split(";"))
        return any(name == COOKIE and _equal(text, self.session.cookie) for name, _, text in pairs)

    async def _welcome(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set the cookie, and go to the desk.

        A page, not a redirect: after a link in another program, the browser would not send a
        `SameSite=Strict` cookie with the redirected request.
        """
        path = f"/{self.session.path}/"
        head = f'<meta http-equiv="refresh" content="0;url={path}">'
        text = f'<a href="{path}">Go to the desk</a>'
        page = HTMLResponse(_PAGE.format(head=head, title="The desk", text=text))
        page.set_cookie(COOKIE, self.session.cookie, path=path, httponly=True, samesite="strict")
        await page(scope, receive, _protected(send))


def _hostname(host: str) -> str:
    """Return the name in a Host header, in lower case and without its port."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdecimal() else host.lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _equal(found: str, expected: str) -> bool:
    return compare_digest(found.encode(), expected.encode())


def _is_own_page(scope: Scope, headers: Headers) -> bool:
    """Whether a request comes from the desk's own page, or from the learner's address bar."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
    if origin is not None and origin != f"http://{headers.get('host')}":
        return False
    if scope["type"] == "websocket" or scope["method"] not in READING:
        return origin is not None
    return site in {"same-origin", "none"}


async def _refuse(scope: Scope, receive: Receive, send: Send, title: str) -> None:
    if scope["type"] == "websocket":
        # Before it is accepted, a WebSocket that is closed is answered with 403.
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    page = HTMLResponse(_PAGE.format(head="", title=title, text=HELP), status_code=403)
    await page(scope, receive, _protected(send))


def _protected(send: Send) -> Send:
    """Add the headers of `HEADERS` to a response that does not set them itself."""

    async def add_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return add_headers
