"""A test client that uses the app like a browser, and functions that read its page."""

import re
from html import unescape


class Visitor:
    """One session with the app: cookies and forms without a real browser."""

    def __init__(self, app):
        """Start a session with `app`, without cookies."""
        self.client = app.test_client()

    @property
    def page(self):
        """The current HTML source of the page."""
        return self.client.get("/").text

    def send(self, path, **fields):
        """Send a form with this session's token; return the response after redirects."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.page)[1]
        data = {"csrf_token": token, **fields}
        return self.client.post(path, data=data, follow_redirects=True)

    def add(self, title):
        """Add an item and return the response."""
        return self.send("/items", title=title)

    def press(self, verb, title):
        """Press the item's button for `verb` and return the response."""
        return self.send(f"/items/{self.id_of(title)}/{verb}")

    def id_of(self, title):
        """Return the id of the item on the page that has this title."""
        rows = re.findall(r'<li class="row.*?</li>', self.page, re.DOTALL)
        (row,) = [row for row in rows if f">{title}</span>" in unescape(row)]
        return int(re.search(r"/items/(\d+)/delete", row)[1])


def titles(page, group):
    """Return the titles in one list of the page, `open` or `done`, in order."""
    shown = re.search(rf'<ul id="{group}".*?</ul>', page, re.DOTALL)
    found = re.findall(r'class="title" dir="auto">(.*?)</span>', shown[0]) if shown else []
    return [unescape(title) for title in found]


def status(page):
    """Return the status message on the page."""
    return unescape(re.search(r'id="status"[^>]*>(.*?)</p>', page, re.DOTALL)[1])
