"""The cache of a pack: verified files, and downloads that continue."""

from __future__ import annotations

import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from harness import serving

from workshop.classroom.file_store import Download, FileStore
from workshop.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = b"0123456789" * 1000
SHA256 = hashlib.sha256(DATA).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves DATA with ranges, and closes the connection after `limit` bytes."""

    limit = len(DATA)
    content = DATA

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges: list[str] = []

    @property
    def file(self) -> Download:
        address = f"http://127.0.0.1:{self.server_port}/x"
        return Download("packages/x.whl", address, len(DATA), SHA256)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.server.ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-") or 0)
        content = self.server.content[start:]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: self.server.limit])

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as running:
        yield running


def test_an_interrupted_download_continues_where_it_stopped(server, tmp_path):
    store = FileStore(tmp_path)
    server.limit = 4000
    with pytest.raises(UserError, match=r"download of x\.whl.*run this again"):
        store.fetch(server.file)
    server.limit = len(DATA)
    seen: list[int] = []
    store.fetch(server.file, seen.append)
    assert server.ranges == ["", "bytes=4000-"]
    assert store.path(SHA256).read_bytes() == DATA
    assert sum(seen) == len(DATA)


def test_a_file_that_is_here_is_not_asked_for(server, tmp_path):
    store = FileStore(tmp_path)
    assert store.add(DATA) == SHA256
    store.fetch(server.file)
    assert server.ranges == []


def test_a_file_with_another_digest_is_refused_and_not_kept(server, tmp_path):
    server.content = DATA[:-1] + b"x"
    with pytest.raises(UserError, match="another digest"):
        FileStore(tmp_path).fetch(server.file)
    assert not [*tmp_path.iterdir()]


def test_a_server_that_does_not_answer_is_reported(tmp_path):
    missing = Download("packages/x.whl", "http://127.0.0.1:9/x", 1, SHA256)
    with pytest.raises(UserError, match="Check the network"):
        FileStore(tmp_path).fetch(missing)
