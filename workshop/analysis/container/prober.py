"""Observes a server from inside its network: reads a JSON message per line, and prints a reply.

This file runs by itself in a trusted container that shares a network namespace with the learner's
container. It imports only the standard library, and listens on no port.

{"do": "ready"} returns "ready".
{"do": "listening"} returns [["0.0.0.0", 8000], ...]: the listening TCP sockets.
{"do": "request", "method", "port", "path", "headers", "body", "seconds", "source"} returns
{"status", "headers", "body"}, or {"error"} if there was no HTTP response.
"""

import contextlib
import http.client
import ipaddress
import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LISTEN = "0A"
MAX_BYTES = 1_000_000


def listening() -> list[list[str | int]]:
    """Return the address and port of every listening TCP socket.

    Source: proc(5), /proc/net/tcp.
    """
    found: list[list[str | int]] = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            local, state = line.split()[1], line.split()[3]
            if state == LISTEN:
                found.append(_parse_address(local))
    return found


def _parse_address(text: str) -> list[str | int]:
    """Parse `0100007F:1F40` as 127.0.0.1, 8000: 32-bit numbers in the machine's byte order."""
    address, port = text.split(":")
    parts = [address[start : start + 8] for start in range(0, len(address), 8)]
    packed = b"".join(struct.pack("=I", int(part, 16)) for part in parts)
    return [str(ipaddress.ip_address(packed)), int(port, 16)]


def request(message: dict[str, Any]) -> dict[str, Any]:
    """Send one HTTP request to a port of 127.0.0.1, from the address `source`.

    `seconds` limits each read, and then the whole response: a server that sends a byte a second
    answers no reader.
    """
    source = (message.get("source") or "127.0.0.1", 0)
    deadline = time.monotonic() + message["seconds"]
    connection = http.client.HTTPConnection(
        "127.0.0.1", message["port"], timeout=message["seconds"], source_address=source
    )
    timer = threading.Timer(message["seconds"], _close, (connection,))
    timer.daemon = True
    timer.start()
    try:
        body = message["body"].encode() if message["body"] else None
        connection.request(message["method"], message["path"], body, message["headers"])
        response = connection.getresponse()
        content = response.read(MAX_BYTES)
        if response.length and len(content) < MAX_BYTES:
            raise http.client.IncompleteRead(content, response.length)
        text = content.decode("utf-8", "replace")
        if time.monotonic() > deadline:
            raise TimeoutError("timed out")
        return {"status": response.status, "headers": dict(response.getheaders()), "body": text}
    except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
        if time.monotonic() > deadline:
            seconds = message["seconds"]
            return {"error": f"TimeoutError: no complete response within {seconds:.0f} s"}
        return {"error": f"{type(error).__name__}: {error}"}
    finally:
        timer.cancel()
        connection.close()


def _close(connection: http.client.HTTPConnection) -> None:
    """Shut the socket down, which ends a read that is in progress."""
    if connection.sock:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


HANDLERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "ready": lambda _: "ready",
    "listening": lambda _: listening(),
    "request": request,
}


def main() -> None:
    """Reply to each line of standard input until its end."""
    for line in sys.stdin:
        message = json.loads(line)
        sys.stdout.write(json.dumps(HANDLERS[message["do"]](message)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
