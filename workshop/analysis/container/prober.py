"""Looks at a server from inside its network: asks, and answers, one JSON line each.

This file runs by itself, in a container of the kit's own that shares a network namespace with
the learner's. It imports the standard library alone, and listens on nothing.

{"do": "ready"} is answered by "ready".
{"do": "listening"} is answered by [["0.0.0.0", 8000], ...]: the TCP sockets that listen.
{"do": "request", "method", "port", "path", "headers", "body", "seconds"} is answered by
{"status", "headers", "body"}, or {"error"} where there was no answer of HTTP.
"""

import http.client
import ipaddress
import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

LISTEN = "0A"
MOST_BYTES = 1_000_000


def listening() -> list[list[str | int]]:
    """Address and port of every TCP socket that listens. Source: proc(5), /proc/net/tcp."""
    found: list[list[str | int]] = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            local, state = line.split()[1], line.split()[3]
            if state == LISTEN:
                found.append(_address(local))
    return found


def _address(text: str) -> list[str | int]:
    """`0100007F:1F40` is 127.0.0.1, 8000: 32-bit words in the machine's own byte order."""
    address, port = text.split(":")
    words = [address[start : start + 8] for start in range(0, len(address), 8)]
    packed = b"".join(struct.pack("=I", int(word, 16)) for word in words)
    return [str(ipaddress.ip_address(packed)), int(port, 16)]


def request(ask: dict[str, Any]) -> dict[str, Any]:
    """One HTTP exchange with a server on this network's own address."""
    link = http.client.HTTPConnection("127.0.0.1", ask["port"], timeout=ask["seconds"])
    try:
        body = ask["body"].encode() if ask["body"] else None
        link.request(ask["method"], ask["path"], body, ask["headers"])
        answer = link.getresponse()
        text = answer.read(MOST_BYTES).decode("utf-8", "replace")
        return {"status": answer.status, "headers": dict(answer.getheaders()), "body": text}
    except (OSError, http.client.HTTPException) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    finally:
        link.close()


DOINGS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "ready": lambda _: "ready",
    "listening": lambda _: listening(),
    "request": request,
}


def main() -> None:
    """Answer each line until there are no more."""
    for line in sys.stdin:
        ask = json.loads(line)
        sys.stdout.write(json.dumps(DOINGS[ask["do"]](ask)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
