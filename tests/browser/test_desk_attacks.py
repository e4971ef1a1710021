"""Attacks on the desk by other pages, from a real browser that has the desk open.

The attackers know the secret path of the desk, which they could not: its other defences have to
hold without it. Every page that attacks is on another port of this machine, as a container that a
lesson has published, or has another name that leads here, as after DNS rebinding.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser.conftest import launch
from browser.test_desk import Server, opened, type_text
from harness import WORKSHOP, run, serving, until
from playwright.sync_api import Error, expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

EVIL = "evil.example"
REBOUND = f"--host-resolver-rules=MAP {EVIL} 127.0.0.1"
ORIGINS = ("127.0.0.1", "localhost", EVIL)
TASK = "baby-steps"
LISTENING = "0A"  # in /proc/net/tcp
MARKUP = "<img src=x onerror='window.attacked=1'>"

# What each attack does in the page of the attacker, with the desk's address as `desk`. It returns
# what it got, or null.
ATTACKS = {
    "read": """fetch(desk + "api/course", {credentials: "include"}).then((r) => r.text())""",
    "post": """fetch(desk + "api/terminals", {method: "POST", credentials: "include",
        mode: "no-cors", body: '{"folder": ""}'}).then(() => null)""",
    "put": """fetch(desk + "api/file", {method: "PUT", credentials: "include",
        body: JSON.stringify({path: "baby-steps/evil", text: "x", base: ""})
        }).then(() => "saved")""",
    "websocket": """new Promise((resolve, reject) => {
        const socket = new WebSocket(desk.replace("http", "ws") + "terminal/1");
        socket.onopen = () => socket.send(new TextEncoder().encode("touch exercises/evil\\r"));
        socket.onmessage = ({data}) => resolve(String(data));
        socket.onclose = reject;
    })""",
    "image": """new Promise((resolve, reject) => {
        const image = new Image();
        image.onload = () => resolve("loaded");
        image.onerror = reject;
        image.src = desk + "site/images/report.png";
    })""",
}
INCLUSIONS = {
    "script": """new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.onload = () => resolve("loaded");
        script.onerror = reject;
        script.src = desk + "static/desk.js";
        document.head.append(script);
    })""",
    "style sheet": """new Promise((resolve, reject) => {
        const link = document.createElement("link");
        Object.assign(link, {rel: "stylesheet", onerror: reject, onload: () => resolve("loaded")});
        link.href = desk + "static/style.css";
        document.head.append(link);
    })""",
    "form": """new Promise((resolve) => {
        const frame = document.createElement("iframe");
        frame.name = "target";
        const form = document.createElement("form");
        Object.assign(form, {method: "post", target: "target", enctype: "text/plain"});
        form.action = desk + "api/terminals";
        const field = document.createElement("input");
        Object.assign(field, {name: '{"folder":"', value: '"}'});
        form.append(field);
        document.body.append(frame, form);
        frame.onload = () => form.dataset.sent && resolve(null);
        form.dataset.sent = "yes";
        form.submit();
    })""",
}


class Attacker(ThreadingHTTPServer):
    """A server of an attacker on this machine, which records the headers of each request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.requests: list[dict[str, str]] = []
        self.cookies: list[str] = []


class _Page(BaseHTTPRequestHandler):
    """Answers every request with an empty page."""

    server: Attacker

    def do_GET(self) -> None:
        self.server.requests.append({name.lower(): text for name, text in self.headers.items()})
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        for cookie in self.server.cookies:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>attacker</title>")

    def log_message(self, *_) -> None:
        """Print nothing."""


@pytest.fixture
def attacker() -> Iterator[Attacker]:
    with serving(Attacker()) as server:
        yield server


@pytest.fixture(scope="module")
def rebinding(chromium: Browser) -> Iterator[Browser]:
    """A browser for which the attacker's name leads to this machine."""
    browser = launch(chromium.browser_type, REBOUND)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "exercises" / TASK).mkdir(parents=True)
    found = Server.start(folder)
    yield found
    found.stop()


@contextmanager
def victim(browser: Browser, server: Server) -> Iterator[tuple[Page, str]]:
    """Open the desk; yield its page and its address with the secret path."""
    with opened(browser, server) as page:
        yield page, page.url.partition("?")[0]


def state(page: Page, server: Server) -> tuple[object, ...]:
    """Return what an attack could change: the terminals and the files."""
    script = "fetch(location.pathname).then((answer) => answer.text())"
    data = re.search(r'id="start">(.*?)</script>', page.evaluate(script))
    terminals = json.loads(data[1])["terminals"]
    files = sorted(path.as_posix() for path in (server.folder / "exercises").rglob("*"))
    return terminals, files


def attack(page: Page, script: str, desk: str) -> str | None:
    """Run an attack in a page; return what it got."""
    try:
        return page.evaluate(f"(desk) => {script}", desk)
    except Error:
        return None


@pytest.mark.parametrize("host", ORIGINS)
@pytest.mark.parametrize("name", [*ATTACKS, *INCLUSIONS])
def test_a_page_of_another_origin_reads_and_changes_nothing(
    name, host, rebinding, server, attacker
):
    with victim(rebinding, server) as (page, desk):
        before = state(page, server)
        evil = page.context.new_page()
        evil.goto(f"http://{host}:{attacker.server_port}/")
        got = attack(evil, {**ATTACKS, **INCLUSIONS}[name], desk)
        assert got is None
        assert state(page, server) == before


@pytest.mark.parametrize("name", ATTACKS)
def test_the_same_requests_of_the_desks_own_page_succeed(name, rebinding, tmp_path):
    """The attacks above are refused because of their origin, and not because they are wrong."""
    (tmp_path / "exercises" / TASK).mkdir(parents=True)
    server = Server.start(tmp_path)
    try:
        with victim(rebinding, server) as (page, desk):
            before = state(page, server)
            got = attack(page, ATTACKS[name], desk)
            assert got is not None or state(page, server) != before
    finally:
        server.stop()


@pytest.mark.parametrize("host", ORIGINS)
def test_the_desk_is_in_no_frame_and_in_no_window_of_another_page(
    host, rebinding, server, attacker
):
    with victim(rebinding, server) as (page, desk):
        evil = page.context.new_page()
        evil.goto(f"http://{host}:{attacker.server_port}/")
        evil.evaluate(
            "(desk) => {document.body.innerHTML = `<iframe src='${desk}'></iframe>`}", desk
        )
        frame = evil.frame_locator("iframe")
        with evil.expect_popup() as popup:
            evil.evaluate("(desk) => {window.popup = open(desk)}", desk)
        popup.value.wait_for_load_state()
        assert popup.value.locator("#lessons").count() == 0
        assert "may not open" in popup.value.content() or "Another page" in popup.value.content()
        assert frame.locator("body").count() <= 1
        assert frame.locator("#lessons, h1:has-text('desk')").count() == 0


def test_a_rebound_name_gets_nothing_even_with_the_cookie(rebinding, server):
    with victim(rebinding, server) as (page, desk):
        (cookie,) = page.context.cookies(desk)
        rebound = desk.replace("127.0.0.1", EVIL)
        evil = page.context.new_page()
        for stolen in (False, True):
            if stolen:
                copied = {"name": cookie["name"], "value": cookie["value"], "url": rebound}
                page.context.add_cookies([copied])
            for address in (rebound, server.new_link().replace("127.0.0.1", EVIL)):
                assert evil.goto(address).status == 403
                assert "not the desk's" in evil.content()
            for name, script in ATTACKS.items():
                before = state(page, server)
                got = attack(evil, script, rebound)
                assert got is None or "not the desk's" in got or name == "put"
                assert state(page, server) == before


def test_a_browser_without_the_cookie_learns_only_what_to_do(chromium, server):
    with victim(chromium, server) as (_, desk):
        secret = desk.rstrip("/").rpartition("/")[2]
    context = chromium.new_context()
    page = context.new_page()
    origin = f"http://127.0.0.1:{server.port}/"
    for address in (origin, desk, f"{desk}api/course", f"{origin}?token=guess"):
        assert page.goto(address).status == 403
        text = page.content()
        assert "workshop learn" in page.inner_text("p")
        assert not re.search(rf"token=|{secret}", text)
    context.close()


def test_a_link_that_was_used_opens_no_second_browser(chromium, tmp_path):
    server = Server.start(tmp_path)
    try:
        learner, thief = chromium.new_context(), chromium.new_context()
        page, other = learner.new_page(), thief.new_page()
        page.goto(server.link)
        page.wait_for_selector("article h1")
        desk = page.url.partition("?")[0]
        # The link is in the learner's terminal, and perhaps on a screen that others see.
        for address in (server.link, desk, f"{desk}api/course"):
            assert other.goto(address).status == 403
            assert thief.cookies() == []
            assert desk.rstrip("/").rpartition("/")[2] not in other.content()
        other.goto(server.link)
        assert "This link was used before" in other.inner_text("h1")
        assert "type workshop learn again" in other.inner_text("p")
        # What that page says works, and the first desk goes on.
        done = run(
            *WORKSHOP, "learn", "--no-browser", cwd=tmp_path, env=server.environment, timeout=60
        )
        new = re.search(r"http://\S+", done.stdout)[0]
        assert new.startswith(f"{server.origin}/?token=")
        other.goto(new)
        other.wait_for_selector("article h1")
        page.reload()
        page.wait_for_selector("article h1")
        learner.close()
        thief.close()
    finally:
        server.stop()


def test_no_token_is_in_the_history_or_in_a_referer(chromium, server, attacker):
    with opened(chromium, server) as page:
        session = page.context.new_cdp_session(page)
        entries = session.send("Page.getNavigationHistory")["entries"]
        assert entries
        assert not [entry for entry in entries if "token" in str(entry)]
        assert page.evaluate("document.referrer") == ""
        # A link to another site, as in the lessons.
        page.evaluate(
            """(url) => {
                const link = Object.assign(document.createElement("a"), {href: url, id: "out"});
                document.querySelector("#lesson").prepend(Object.assign(link, {target: "_blank"}));
                link.textContent = "out";
            }""",
            f"http://127.0.0.1:{attacker.server_port}/",
        )
        with page.context.expect_page() as other:
            page.locator("#out").click()
        other.value.wait_for_load_state()
        assert other.value.evaluate("window.opener") is None
        assert attacker.requests
        # Its own requests, as for an icon, may name the attacker's page.
        referers = [headers.get("referer", "") for headers in attacker.requests]
        assert not [text for text in referers if f":{server.port}" in text]
        other.value.close()


def test_a_published_container_gets_no_cookie_of_the_desk(chromium, server, attacker):
    with victim(chromium, server) as (page, desk):
        (cookie,) = page.context.cookies(desk)
        container = page.context.new_page()
        container.goto(f"http://127.0.0.1:{attacker.server_port}/")
        container.reload()
        assert len(attacker.requests) >= 2
        sent = [headers.get("cookie", "") for headers in attacker.requests]
        assert not [text for text in sent if cookie["value"] in text or cookie["name"] in text]
        assert container.evaluate("document.cookie") == ""


@pytest.mark.parametrize("tossed", ["workshop-desk=evil; Path=/", "=path; Path=/", 'a="; Path=/'])
def test_a_cookie_of_a_container_does_not_lock_the_learner_out(tossed, chromium, server, attacker):
    attacker.cookies.append(tossed)
    with victim(chromium, server) as (page, desk):
        container = page.context.new_page()
        container.goto(f"http://127.0.0.1:{attacker.server_port}/")
        assert len(page.context.cookies(desk)) == 2
        assert page.evaluate("fetch('api/course').then((answer) => answer.status)") == 200


def test_markup_in_names_texts_output_and_messages_stays_text(chromium, server):
    name = f"{TASK}/{MARKUP.replace('/', '')}.py"
    folder = server.folder / "exercises"
    (folder / name).write_text(f"# {MARKUP}\n")
    with opened(chromium, server) as page:
        page.locator("#files").select_option(name)
        expect(page.locator("#file-tabs")).to_contain_text("onerror")
        type_text(page, f"# {MARKUP} and\n")
        until(lambda: "and" in (folder / name).read_text(), "the saved file")
        # A notice names a file that is no text.
        (folder / name).write_bytes(b"\xff\x00")
        expect(page.locator("#notices")).to_contain_text("onerror")
        page.locator("#file-tabs [role=tab]", has_text="Dockerfile").click()
        type_text(page, f'FROM {MARKUP}\nCMD ["{MARKUP}"]\n')
        page.locator("#tab-checks").click()
        expect(page.locator(".checks .failed").filter(has_text="onerror").first).to_be_attached()
        page.locator("#tab-terminal-1").click()
        page.locator(".xterm-helper-textarea").first.focus()
        # Also as the title, and as a link that a terminal may show.
        (server.folder / "output").write_text(
            f"{MARKUP}\033]0;{MARKUP}\007"
            "\033]8;;javascript:attacked=1\033\\he" + "re\033]8;;\033\\\n"
        )
        page.keyboard.type("cat output\n")
        expect(page.locator(".xterm-rows").first).to_contain_text("here")
        page.locator(".xterm-rows").first.get_by_text("here").last.click(force=True)
        assert page.evaluate("window.attacked") is None
        assert page.locator("img[src=x]").count() == 0
    (folder / name).unlink()


@pytest.mark.parametrize(
    "path",
    ["../secret", f"{TASK}/../../secret", "/etc/passwd", f"{TASK}/link", f"{TASK}/up/secret"],
)
def test_the_page_reads_and_writes_nothing_outside_the_exercises(path, chromium, tmp_path):
    folder = tmp_path / "exercises" / TASK
    folder.mkdir(parents=True)
    (tmp_path / "secret").write_text("kept apart")
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "up").symlink_to("../..")
    passwd = Path("/etc/passwd").read_bytes()
    server = Server.start(tmp_path)
    try:
        with opened(chromium, server) as page:
            assert page.locator("#files option", has_text="link").count() == 0
            status, text = page.evaluate(
                """async (path) => {
                    const put = await fetch("api/file", {method: "PUT",
                        body: JSON.stringify({path, text: "evil", base: ""})});
                    const get = await fetch("api/file?" + new URLSearchParams({path}));
                    return [[put.status, get.status], await get.text()];
                }""",
                path,
            )
            assert status == [422, 422]
            assert "root:" not in text
            assert "kept apart" not in text
    finally:
        server.stop()
    assert (tmp_path / "secret").read_text() == "kept apart"
    assert Path("/etc/passwd").read_bytes() == passwd


@pytest.mark.parametrize("prefix", ["site", "static"])
@pytest.mark.parametrize("up", ["/../../", "/..%2f..%2f", "/%2e%2e/%2e%2e/", "//", "/..%5c..%5c"])
def test_the_sites_addresses_lead_to_nothing_else(prefix, up, chromium, server):
    with victim(chromium, server) as (page, desk):
        (cookie,) = page.context.cookies(desk)
    secret = desk.rstrip("/").rpartition("/")[2]
    for file in ("desk/access.py", "pyproject.toml", "etc/passwd"):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        # A browser would resolve the dots itself.
        connection.putrequest("GET", f"/{secret}/{prefix}{up}{file}")
        connection.putheader("Cookie", f"{cookie['name']}={cookie['value']}")
        connection.endheaders()
        answer = connection.getresponse()
        assert answer.status in {403, 404}
        answer.read()
        connection.close()


def test_a_link_that_appears_while_a_file_is_read_is_not_followed(chromium, tmp_path):
    """A program that swaps a folder and a link wins no race against the checks of the path."""
    folder = tmp_path / "exercises" / TASK
    folder.mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("kept apart")
    inside = folder / "inside"
    inside.mkdir()
    (inside / "file").write_text("open")
    server, ended = Server.start(tmp_path), threading.Event()

    def swap() -> None:
        while not ended.is_set():
            inside.rename(folder / "away")
            inside.symlink_to(tmp_path / "outside")
            inside.unlink()
            (folder / "away").rename(inside)

    swapping = threading.Thread(target=swap)
    try:
        with opened(chromium, server) as page:
            swapping.start()
            found = page.evaluate(
                """async (path) => {
                    const found = {};
                    for (let count = 0; count < 400; count++) {
                        const answer = await fetch("api/file?" + new URLSearchParams({path}));
                        const {text = "refused"} = await answer.json();
                        found[text] = (found[text] ?? 0) + 1;
                    }
                    return found;
                }""",
                f"{TASK}/inside/file",
            )
    finally:
        ended.set()
        swapping.join()
        server.stop()
    # All three happened: the file, no file, and a link.
    assert {"open", "", "refused"} >= set(found)
    assert {"open", "refused"} <= set(found)


def test_the_desk_listens_on_loopback_only(server):
    descriptors = Path(f"/proc/{server.process.pid}/fd").iterdir()
    own = {link[8:-1] for link in map(os.readlink, descriptors) if link.startswith("socket:[")}
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and fields[9] in own:
                listening.append(fields[1].partition(":")[0])
    assert listening == ["0100007F"]  # 127.0.0.1, the lowest byte first
    assert "Warning" not in "\n".join(server.said)


def test_with_host_the_desk_warns_before_it_prints_the_address(tmp_path):
    server = Server.start(tmp_path, 0, "--host", "0.0.0.0")  # noqa: S104 - tested
    server.stop()
    *before, _ = server.said
    assert "Warning: with --host 0.0.0.0" in "\n".join(before)
