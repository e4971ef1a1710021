"""Reads the name of the server that a client asks for when it begins with TLS."""

from __future__ import annotations

import ssl


def read_server_name(hello: bytes) -> str | None:
    """Return the server's name in a ClientHello, empty without one; None if more must follow.

    OpenSSL parses it, as a server would, which then has no certificate and stops.
    """
    names: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def keep(_connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        names.append((name or "").lower().rstrip("."))

    context.sni_callback = keep
    incoming = ssl.MemoryBIO()
    incoming.write(hello)
    server = context.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True)
    try:
        server.do_handshake()
    except ssl.SSLWantReadError:
        return names[0] if names else None
    except ssl.SSLError:
        pass
    return names[0] if names else ""
