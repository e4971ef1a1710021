"""Visit the app as a browser would, and read its page."""

import re
from html import unescape


class Visitor:
    """One session with the app: a browser's cookies and forms without the browser."""

    def __init__(self, app):
        """Visit `app` with no cookies yet."""
        self.client = app.test_client()

    @property
    def page(self):
        """The page's source, fetched now."""
        return self.client.get("/").text

    def send(self, path, **fields):
        """Send a form with this session's token; return what comes after the redirect."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.page)[1]
        data = {"csrf_token": token, **fields}
        return self.client.post(path, data=data, follow_redirects=True)

    def add(self, title):
        """Add an item and return the page that follows."""
        return self.send("/items", title=title)

    def press(self, verb, title):
        """Press the button that does `verb` to the item, and return the page that follows."""
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
    """Return what the page says has just happened."""
    return unescape(re.search(r'id="status"[^>]*>(.*?)</p>', page, re.DOTALL)[1])
