"""Only the learner's own page may use the desk."""

from __future__ import annotations

import re

import httpx
import pytest
from harness import run_async

from desk.app import create_app
from desk.desk import Desk
from desk.session import Session

HOST = "http://127.0.0.1:8801"
SESSION = Session()
PATH = f"/{SESSION.path}"
COOKIE = {"cookie": f"workshop-desk={SESSION.cookie}"}
OWN = {**COOKIE, "origin": HOST}


class Client:
    """A browser without rules: it sends whatever a test asks it to."""

    def __init__(self, app) -> None:
        self._app = app

    def request(self, method: str, path: str, **options) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
                return await client.request(method, path, **options)

        return run_async(send())

    def get(self, path: str, **options) -> httpx.Response:
        return self.request("GET", path, **options)

    def connect(self, path: str, headers: dict[str, str]) -> list[str]:
        """Open a WebSocket, and return the types of the messages that it gets."""
        found: list[str] = []
        headers = {"host": "127.0.0.1:8801", **headers}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "websocket", "path": path, "query_string": b"", "headers": pairs}

        async def receive() -> dict[str, str]:
            return {"type": "websocket.connect"}

        async def send(message) -> None:
            found.append(message["type"])

        run_async(self._app({**scope, "subprotocols": []}, receive, send))
        return found


@pytest.fixture
def client(tmp_path) -> Client:
    (tmp_path / "exercises").mkdir()
    return Client(create_app(Desk(tmp_path), SESSION))


@pytest.fixture
def link() -> str:
    return SESSION.serve(HOST).removeprefix(HOST)


def test_a_link_sets_a_cookie_that_only_the_desk_gets(client, link):
    answer = client.get(link)
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", f"Path={PATH}/"} <= set(cookie.split("; "))
    assert SESSION.cookie in cookie
    assert f'url={PATH}/"' in answer.text
    assert client.get(f"{PATH}/", headers=COOKIE).status_code == 200


def test_a_link_opens_the_desk_once(client, link):
    # What only looks at the link does not use it.
    assert client.request("HEAD", link).status_code == 403
    assert client.get(link, headers={"sec-purpose": "prefetch"}).status_code == 403
    assert client.get(link, headers={"host": "evil.example"}).status_code == 403
    assert client.get(link).status_code == 200
    again = client.get(link)
    assert again.status_code == 403
    assert "set-cookie" not in again.headers
    assert "This link was used before" in again.text
    assert "type <code>workshop learn</code> again" in again.text
    assert SESSION.path not in again.text


@pytest.mark.parametrize(
    "other",
    ["workshop-desk=other", "path", 'a="', "a={1}"],
    ids=["same name", "no value", "quote", "braces"],
)
def test_a_cookie_of_a_container_on_this_machine_does_not_lock_the_learner_out(client, other):
    headers = {"cookie": f"{COOKIE['cookie']}; {other}"}
    assert client.get(f"{PATH}/", headers=headers).status_code == 200
    assert client.get(f"{PATH}/", headers={"cookie": other}).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/", "/?token=", "/?token=wrong", f"{PATH}/", f"{PATH}/api/course"],
    ids=["start", "no token", "wrong token", "page", "course"],
)
def test_a_browser_without_the_cookie_gets_a_page_that_says_what_to_do(client, link, path):
    answer = client.get(path)
    assert answer.status_code == 403
    assert "workshop learn" in answer.text
    assert not re.search(f"{link[8:]}|{SESSION.path}|{SESSION.cookie}", answer.text)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8801", "127.0.0.1.evil.example", ""]
)
def test_another_host_is_refused_even_with_the_cookie(client, link, host):
    assert client.get(f"{PATH}/", headers={**COOKIE, "host": host}).status_code == 403
    assert client.get(link, headers={"host": host}).status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:8000", "null", None])
def test_a_request_of_another_page_changes_nothing(client, origin):
    headers = {**COOKIE, **({"origin": origin} if origin else {})}
    body = {"path": "a/b", "text": "x", "base": ""}
    assert client.request("PUT", f"{PATH}/api/file", json=body, headers=headers).status_code == 403
    assert client.request("PUT", f"{PATH}/api/file", json=body, headers=OWN).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_page_cannot_even_include_what_the_desk_has(client, site):
    headers = {**COOKIE, "sec-fetch-site": site}
    assert client.get(f"{PATH}/api/course", headers=headers).status_code == 403


@pytest.mark.parametrize("path", ["/events", "/terminal/1"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": HOST},
        COOKIE,
        {**COOKIE, "origin": "http://127.0.0.1:8000"},
        {**COOKIE, "origin": "http://evil.example", "host": "evil.example"},
    ],
    ids=["no cookie", "no origin", "another port", "rebound"],
)
def test_a_websocket_of_another_page_is_refused(client, path, headers):
    assert client.connect(f"{PATH}{path}", headers) == ["websocket.close"]


def test_the_own_page_connects(client):
    types = client.connect(f"{PATH}/terminal/99", OWN)
    assert types == ["websocket.accept", "websocket.send", "websocket.close"]


def test_every_answer_has_a_policy_without_inline_scripts(client):
    for path, headers, status in (
        (f"{PATH}/", COOKIE, 200),
        (f"{PATH}/none", COOKIE, 404),
        ("/none", COOKIE, 404),
        (f"{PATH}/", {}, 403),
        ("/", {}, 403),
    ):
        answer = client.get(path, headers=headers)
        assert answer.status_code == status
        assert "script-src 'self';" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers


def test_with_every_interface_only_addresses_are_hosts(tmp_path):
    client = Client(create_app(Desk(tmp_path), SESSION, frozenset({"*", "my-laptop"})))
    for host, status in (
        ("192.0.2.7:8801", 200),
        ("[2001:db8::1]:8801", 200),
        ("my-laptop", 200),
        ("evil.example", 403),
    ):
        assert client.get(f"{PATH}/", headers={**COOKIE, "host": host}).status_code == status
