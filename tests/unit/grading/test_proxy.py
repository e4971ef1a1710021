"""The proxy serves allowed servers within its limits, and nothing else."""

from __future__ import annotations

import asyncio
import socket
import ssl

import pytest

from workshop.grading import proxy
from workshop.grading.limits import Quota
from workshop.grading.proxy import Origin, Proxy, RefusedError, parse_request
from workshop.grading.server_name import read_server_name

PLENTY = Quota(connections=10, received=1_000_000, sent=1_000_000)


def hello(name: str | None) -> bytes:
    """How a client begins with TLS."""
    context = ssl.create_default_context()
    context.check_hostname = name is not None
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class Server:
    """Answers each connection with `answer`, after it has read something."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 OK\r\n\r\nhello") -> None:
        self.answer, self.got = answer, b""

    async def serve(self, reader, writer) -> None:
        self.got += await reader.read(100_000)
        writer.write(self.answer)
        await writer.drain()
        writer.close()


def ask(found: Proxy, *parts: bytes, server: Server | None = None, port: int = 0) -> bytes:
    """Send parts through the proxy to the server on 127.0.0.1; return what comes back."""

    async def run() -> bytes:
        target = await asyncio.start_server((server or Server()).serve, "127.0.0.1", port)
        number = str(target.sockets[0].getsockname()[1]).encode()
        listening = await asyncio.start_server(found.serve, "127.0.0.1", 0)
        async with target, listening:
            reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
            answer = b""
            for part in parts:
                writer.write(part.replace(b"PORT", number))
                answer += await reader.read(39) if part.startswith(b"CONNECT") else b""
            writer.write_eof()
            answer += await reader.read()
            writer.close()
            await writer.wait_closed()
            return answer

    return asyncio.run(asyncio.wait_for(run(), 20))


@pytest.fixture(autouse=True)
def _direct(monkeypatch):
    monkeypatch.setattr(proxy, "getproxies", dict)


def everything(_origin: Origin) -> bool:
    return True


CONNECT = b"CONNECT 127.0.0.1:PORT HTTP/1.1\r\n\r\n"
GET = b"GET http://127.0.0.1:PORT/a?b HTTP/1.1\r\nHost: other\r\nProxy-Authorization: x\r\n\r\n"


class TestParse:
    def test_a_tunnel_names_a_host_and_a_port(self):
        found = parse_request(b"CONNECT Index.test.:443 HTTP/1.1\r\nHost: other\r\n\r\n")
        assert (found.origin, found.head) == (Origin("https", "index.test", 443), b"")

    def test_a_request_is_written_anew_for_the_server_that_its_url_names(self):
        found = parse_request(
            b"GET http://m.test/x?y HTTP/1.0\r\nhost: evil\r\nAccept: a:b\r\n"
            b"Connection: keep-alive\r\nProxy-Authorization: Basic x\r\n\r\n"
        )
        assert found.origin == Origin("http", "m.test", 80)
        assert found.head == (
            b"GET /x?y HTTP/1.1\r\nhost: m.test\r\nconnection: close\r\naccept: a:b\r\n\r\n"
        )

    @pytest.mark.parametrize(
        "head",
        [
            b"POST http://m.test/ HTTP/1.1\r\n\r\n",
            b"GET http://m.test/ HTTP/1.1\r\nContent-Length: 3\r\n\r\n",
            b"GET http://m.test/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"GET http://m.test/ HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n",
            b"GET http://m.test/ HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
            b"GET http://m.test/ HTTP/1.1\r\nA: b\nContent-Length: 3\r\n\r\n",
            b"GET http://m.test/ HTTP/1.1\nA: b\r\n\r\n",
            b"GET http://user:password@m.test/ HTTP/1.1\r\n\r\n",
            b"GET http://m.test:no/ HTTP/1.1\r\n\r\n",
            b"GET https://m.test/ HTTP/1.1\r\n\r\n",
            b"GET ftp://m.test/ HTTP/1.1\r\n\r\n",
            b"GET /x HTTP/1.1\r\nHost: m.test\r\n\r\n",
            b"GET http:///x HTTP/1.1\r\n\r\n",
            b"GET  http://m.test/ HTTP/1.1\r\n\r\n",
            b"CONNECT m.test HTTP/1.1\r\n\r\n",
            b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n",
            b"CONNECT a@m.test:443 HTTP/1.1\r\n\r\n",
            b"\x16\x03\x01\r\n\r\n",
        ],
    )
    def test_anything_else_is_refused(self, head):
        with pytest.raises(RefusedError) as caught:
            parse_request(head)
        assert caught.value.status == 400

    def test_a_label_has_an_unusual_port(self):
        assert Origin("https", "a.test", 443).label == "a.test"
        assert Origin("http", "a.test", 443).label == "a.test:443"


class TestServerName:
    def test_the_name_is_read_once_it_is_complete(self):
        whole = hello("Index.test")
        assert read_server_name(whole) == "index.test"
        assert read_server_name(whole[:50]) is None
        assert read_server_name(b"") is None

    def test_without_a_name_or_without_tls_it_is_empty(self):
        assert read_server_name(hello(None)) == ""
        assert read_server_name(b"SSH-2.0-x\r\n") == ""


class TestServe:
    def test_a_request_is_forwarded_and_counted(self):
        found, server = Proxy(everything, PLENTY), Server()
        assert ask(found, GET, server=server).endswith(b"\r\n\r\nhello")
        assert server.got.startswith(b"GET /a?b HTTP/1.1\r\nhost: 127.0.0.1:")
        assert b"other" not in server.got
        assert found.connections == 1
        assert (found.sent, found.received) == (len(server.got), len(server.answer))

    def test_a_second_request_on_the_connection_is_not_served(self):
        found, server = Proxy(everything, PLENTY), Server()
        assert ask(found, GET + GET, server=server).count(b"200 OK") == 1
        assert server.got.count(b"GET") == 1

    def test_a_tunnel_carries_tls(self):
        found, server = Proxy(everything, PLENTY), Server(b"certificate")
        # TLS names no address.
        begun = hello(None)
        answer = ask(found, CONNECT, begun, server=server)
        assert answer == b"HTTP/1.1 200 Connection established\r\n\r\ncertificate"
        assert (server.got, found.refused) == (begun, [])

    def test_a_tunnel_to_another_server_behind_the_same_address_is_closed(self):
        found, server = Proxy(everything, PLENTY), Server()
        assert ask(found, CONNECT, hello("evil.test"), server=server).count(b"\r\n\r\n") == 1
        assert (server.got, found.refused) == (b"", ["evil.test"])

    def test_a_tunnel_without_tls_is_closed(self):
        found, server = Proxy(everything, PLENTY), Server()
        named = CONNECT.replace(b"127.0.0.1", b"localhost")
        ask(found, named, b"SSH-2.0-x\r\n", server=server)
        assert (server.got, found.refused) == (b"", ["localhost without TLS"])

    def test_another_server_is_refused_and_remembered(self):
        found, server = Proxy(lambda _: False, PLENTY), Server()
        assert ask(found, GET, server=server).startswith(b"HTTP/1.1 403 Forbidden\r\n")
        assert server.got == b""
        assert found.refused[0].startswith("127.0.0.1:")

    def test_nonsense_is_answered_with_400(self):
        assert ask(Proxy(everything, PLENTY), b"x\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        assert ask(Proxy(everything, PLENTY), b"GET " + b"x" * 70_000) == b""

    def test_a_server_that_does_not_answer_is_a_bad_gateway(self):
        dead = b"GET http://127.0.0.1:9/ HTTP/1.1\r\n\r\n"
        assert ask(Proxy(everything, PLENTY), dead).startswith(b"HTTP/1.1 502 ")

    @pytest.mark.parametrize(
        ("quota", "excess"),
        [
            (PLENTY._replace(connections=0), "opened more than 0 connections"),
            (PLENTY._replace(received=10), "downloaded more than "),
            (PLENTY._replace(sent=10), "sent more than "),
        ],
    )
    def test_an_excess_ends_the_connection_and_all_later_ones(self, quota, excess):
        found = Proxy(everything, quota)
        assert b"hello" not in ask(found, GET)
        assert found.excess.startswith(excess)
        assert ask(found, GET).startswith(b"HTTP/1.1 429 ")

    def test_a_tunnel_ends_with_the_excess(self):
        found = Proxy(everything, PLENTY._replace(received=10))
        answer = ask(found, CONNECT, hello(None), server=Server(b"x" * 1000))
        assert b"x" * 11 not in answer
        assert found.excess


class TestChain:
    """A machine may reach the network through its own proxy."""

    @pytest.fixture
    def server(self, monkeypatch, unused_port):
        address = f"http://me:pass%40word@127.0.0.1:{unused_port}"
        monkeypatch.setattr(proxy, "getproxies", lambda: dict.fromkeys(("http", "https"), address))
        monkeypatch.setattr(proxy, "proxy_bypass", lambda host: host == "127.0.0.1")
        return Server(b"HTTP/1.1 200 OK\r\n\r\n")

    def test_a_request_goes_there_with_its_password(self, server, unused_port):
        get = b"GET http://m.test/x HTTP/1.1\r\n\r\n"
        assert b"200 OK" in ask(Proxy(everything, PLENTY), get, server=server, port=unused_port)
        assert server.got.startswith(b"GET http://m.test:80/x HTTP/1.1\r\n")
        assert b"proxy-authorization: Basic bWU6cGFzc0B3b3Jk\r\n" in server.got

    def test_a_tunnel_is_asked_for(self, server, unused_port):
        connect = b"CONNECT m.test:443 HTTP/1.1\r\n\r\n"
        found = Proxy(everything, PLENTY)
        assert b"200 Conn" in ask(found, connect, b"", server=server, port=unused_port)
        assert server.got.startswith(b"CONNECT m.test:443 HTTP/1.1\r\nhost: m.test:443\r\nproxy-a")

    def test_its_refusal_is_a_bad_gateway(self, server, unused_port):
        server.answer = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
        connect = b"CONNECT m.test:443 HTTP/1.1\r\n\r\n"
        answer = ask(Proxy(everything, PLENTY), connect, server=server, port=unused_port)
        assert answer.startswith(b"HTTP/1.1 502 ")
