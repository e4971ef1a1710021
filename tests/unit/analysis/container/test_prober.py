from __future__ import annotations

import contextlib
import http.server
import json
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from workshop.analysis.container import prober

if TYPE_CHECKING:
    from collections.abc import Iterator


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/who":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.client_address[0].encode())
            return
        self.send_response(200 if self.path == "/" else 404)
        self.send_header("X-Kind", "hello")
        self.end_headers()
        self.wfile.write(b"Hello \xff World" if self.path == "/" else b"")

    def do_DELETE(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"deleted " + self.rfile.read(length))

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), Hello) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def request(port: int, **options) -> dict:
    defaults = {"method": "GET", "port": port, "path": "/", "headers": {}, "body": "", "seconds": 5}
    return prober.request({**defaults, **options})


def test_a_response_has_status_headers_and_body(port: int):
    found = request(port)
    assert (found["status"], found["headers"]["X-Kind"]) == (200, "hello")
    assert found["body"] == "Hello \ufffd World"


def test_an_http_error_is_a_response(port: int):
    assert request(port, path="/nowhere")["status"] == 404


def test_method_and_body_are_sent(port: int):
    assert request(port, method="DELETE", body="caf\u00e9")["body"] == "deleted caf\u00e9"


def test_a_refused_connection_is_an_error():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found = request(free.getsockname()[1])
    assert found["error"].startswith("ConnectionRefusedError")


@pytest.mark.parametrize("reply", [b"", b"SSH-2.0\r\n", b"\x00" * 100_000, b"HTTP/1.1 200\r\n"])
def test_an_invalid_response_is_an_error_or_empty(reply: bytes):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client = server.accept()[0]
            with client:
                client.recv(1000)
                client.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        found = request(server.getsockname()[1])
        thread.join()
    assert "error" in found or found["body"] == ""


def test_a_response_that_ends_too_early_is_an_error():
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHello"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        found = request(server.getsockname()[1])
        thread.join()
    assert found == {"error": "IncompleteRead: IncompleteRead(5 bytes read, 94 more expected)"}


def test_a_server_that_never_replies_times_out():
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = request(server.getsockname()[1], seconds=0.2)
    assert "TimeoutError" in found["error"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0100007F:1F40", ["127.0.0.1", 8000]),
        ("00000000:0050", ["0.0.0.0", 80]),  # noqa: S104
        ("00000000000000000000000000000000:1388", ["::", 5000]),
        ("00000000000000000000000001000000:1388", ["::1", 5000]),
    ],
)
@pytest.mark.skipif(sys.byteorder != "little", reason="the examples are little-endian")
def test_addresses_are_parsed_in_the_kernels_format(text: str, address: list):
    assert prober._parse_address(text) == address


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has /proc/net/tcp")
def test_a_listening_socket_is_found_with_its_address():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert ["127.0.0.1", server.getsockname()[1]] in prober.listening()


def test_each_message_gets_a_reply():
    script = prober.__file__
    messages = "".join(json.dumps({"do": name}) + "\n" for name in ("ready", "listening", "ready"))
    done = subprocess.run(
        (sys.executable, "-I", "-S", script),
        input=messages,
        capture_output=True,
        text=True,
        check=True,
    )
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert (replies[0], replies[2]) == ("ready", "ready")
    assert isinstance(replies[1], list)


def test_a_request_comes_from_the_given_address(port: int):
    assert request(port, path="/who", source="127.0.0.2")["body"] == "127.0.0.2"
    assert request(port, path="/who")["body"] == "127.0.0.1"


def test_a_response_that_takes_too_long_in_pieces_is_an_error():
    """Each byte comes in time, but the whole response does not."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while not ended.wait(0.05):
                    connection.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        found = request(server.getsockname()[1], seconds=0.4)
        ended.set()
        thread.join()
    assert "no complete response" in found["error"]
