"""Servers on this machine, as a network may have them: right, wrong, or not trusted."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from harness import serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    # Of a path: status, headers and body.
    Responses = Mapping[str, tuple[int, dict[str, str], str]]


@contextlib.contextmanager
def server(responses: Responses, certificate: Path | None = None) -> Iterator[str]:
    """Serve responses until the block ends; yield the URL, with TLS if there is a certificate."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            status, headers, body = responses.get(path, (404, {}, ""))
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value.replace("BASE", base))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body.encode())

        do_HEAD = do_GET  # noqa: N815 - the name is http.server's

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that does not trust the certificate ends the connection."""

    with Server(("127.0.0.1", 0), Handler) as running:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            running.socket = context.wrap_socket(running.socket, server_side=True)
        scheme = "https" if certificate else "http"
        base = f"{scheme}://localhost:{running.server_port}"
        with serving(running):
            yield base


# A certificate authority of `openssl ca`, which alone can set both dates.
_AUTHORITY = """
[ca]
default_ca = own
[own]
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = DNS:localhost
basicConstraints = CA:true
"""


def write_certificate(folder: Path, ends: str = "20991231") -> tuple[Path, Path]:
    """Write a certificate for localhost that `ends` at a date: with its key, and alone."""
    key, request, alone = (folder / name for name in ("own.key", "own.csr", "own.crt"))
    settings = folder / "authority.cnf"
    settings.write_text(_AUTHORITY.format(folder=folder), encoding="ascii")
    (folder / "index").touch()
    (folder / "serial").write_text("01\n", encoding="ascii")
    ask = ["-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", key]
    dates = ["-startdate", "20200101000000Z", "-enddate", f"{ends}000000Z"]
    sign = ["-selfsign", "-batch", "-notext", "-keyfile", key, "-in", request, "-out", alone]
    for argv in (["req", *ask, "-out", request], ["ca", "-config", settings, *dates, *sign]):
        subprocess.run(["openssl", *argv], check=True, capture_output=True)
    both = folder / "own.pem"
    both.write_bytes(key.read_bytes() + alone.read_bytes())
    return both, alone


@contextlib.contextmanager
def occupied(port: int = 0) -> Iterator[int]:
    """Listen on a port of this machine until the block ends."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen()
        yield listening.getsockname()[1]
