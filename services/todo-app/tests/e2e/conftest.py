"""Fixtures that open the app in Debian's Chromium."""

import threading

import pytest
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

CHROMIUM = "/usr/bin/chromium"
# Chromium's sandbox does not work in a container, and background requests are not needed.
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
    """Serve an empty list and return its URL."""
    server = make_server("127.0.0.1", 0, make_app(sqlite_url), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def open_page(browser, address):
    """Return a function that opens the list in a new browser context with the given options.

    After the test, fail if a page had an error in its scripts, console or requests. The status 422
    for an invalid title does not count as an error.
    """
    contexts, problems = [], []

    def on_response(response):
        if response.status >= 400 and response.status != 422:
            problems.append(f"{response.status} {response.url}")

    def on_console(message):
        if message.type in ("error", "warning") and "422" not in message.text:
            problems.append(message.text)

    def on_request_failed(request):
        # Leaving a page while it loads aborts its requests.
        if request.failure != "net::ERR_ABORTED":
            problems.append(f"failed: {request.url}: {request.failure}")

    def open_with(**options):
        context = browser.new_context(**options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        context.on("response", on_response)
        context.on("requestfailed", on_request_failed)
        context.on("console", on_console)
        context.on("weberror", lambda error: problems.append(str(error.error)))
        page = context.new_page()
        page.goto(address)
        return page

    yield open_with
    for context in contexts:
        context.close()
    assert problems == []
