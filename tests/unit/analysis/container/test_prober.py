from __future__ import annotations

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
        """Quietly."""


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), Hello) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def ask(port: int, **more) -> dict:
    usual = {"method": "GET", "port": port, "path": "/", "headers": {}, "body": "", "seconds": 5}
    return prober.request({**usual, **more})


def test_an_answer_has_its_status_its_headers_and_its_body(port: int):
    found = ask(port)
    assert (found["status"], found["headers"]["X-Kind"]) == (200, "hello")
    assert found["body"] == "Hello \ufffd World"


def test_an_error_of_http_is_an_answer(port: int):
    assert ask(port, path="/nowhere")["status"] == 404


def test_a_method_and_a_body_are_passed_on(port: int):
    assert ask(port, method="DELETE", body="caf\u00e9")["body"] == "deleted caf\u00e9"


def test_nobody_there_is_an_error():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found = ask(free.getsockname()[1])
    assert found["error"].startswith("ConnectionRefusedError")


@pytest.mark.parametrize("said", [b"", b"SSH-2.0\r\n", b"\x00" * 100_000, b"HTTP/1.1 200\r\n"])
def test_what_is_no_http_is_an_error_or_an_empty_answer(said: bytes):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            client = server.accept()[0]
            with client:
                client.recv(1000)
                client.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        found = ask(server.getsockname()[1])
        thread.join()
    assert "error" in found or found["body"] == ""


def test_a_server_that_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = ask(server.getsockname()[1], seconds=0.2)
    assert "imed" in found["error"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0100007F:1F40", ["127.0.0.1", 8000]),
        ("00000000:0050", ["0.0.0.0", 80]),  # noqa: S104
        ("00000000000000000000000000000000:1388", ["::", 5000]),
        ("00000000000000000000000001000000:1388", ["::1", 5000]),
    ],
)
@pytest.mark.skipif(sys.byteorder != "little", reason="written down on a little-endian machine")
def test_addresses_are_read_as_the_kernel_writes_them(text: str, address: list):
    assert prober._address(text) == address


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has /proc/net/tcp")
def test_what_listens_is_found_with_its_address():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert ["127.0.0.1", server.getsockname()[1]] in prober.listening()


def test_each_line_is_answered_by_one():
    script = prober.__file__
    asked = "".join(json.dumps({"do": word}) + "\n" for word in ("ready", "listening", "ready"))
    done = subprocess.run(
        (sys.executable, "-I", "-S", script),
        input=asked,
        capture_output=True,
        text=True,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert (answers[0], answers[2]) == ("ready", "ready")
    assert isinstance(answers[1], list)
