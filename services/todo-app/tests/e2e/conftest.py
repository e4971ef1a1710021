"""Debian's Chromium, looking at the app over HTTP."""

import threading

import pytest
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

CHROMIUM = "/usr/bin/chromium"
# A container has no sandbox to offer, and no use for what browsers fetch by themselves.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def address(make_app, sqlite_url):
    """Serve an empty list, and return its address."""
    server = make_server("127.0.0.1", 0, make_app(sqlite_url), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def open_page(browser, address):
    """Return a function that opens the list in a browser of its own, set up as asked.

    Afterwards no page may have met an error: in its scripts, its console or its requests. The
    422 that a refused title is answered with is none.
    """
    contexts, problems = [], []

    def answered(response):
        if response.status >= 400 and response.status != 422:
            problems.append(f"{response.status} {response.url}")

    def said(message):
        if message.type in ("error", "warning") and "422" not in message.text:
            problems.append(message.text)

    def failed(request):
        # A page that is left while it loads gives up what it had asked for.
        if request.failure != "net::ERR_ABORTED":
            problems.append(f"failed: {request.url}: {request.failure}")

    def opened(**options):
        context = browser.new_context(**options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        context.on("response", answered)
        context.on("requestfailed", failed)
        context.on("console", said)
        context.on("weberror", lambda error: problems.append(str(error.error)))
        page = context.new_page()
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []
