"""The files that a classroom writes for its learners: the page to join, and what a join reads."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

if TYPE_CHECKING:
    from workshop.classroom.manifest import Manifest

TEMPLATES = Path(__file__).parent / "templates"
JOIN = Path(__file__).parent / "join.py"
ROOM = "room.json"
_PIXELS = 6


def render(template: str, **values: object) -> str:
    """Fill a template; a value that is missing is an error."""
    loader = FileSystemLoader(TEMPLATES)
    environment = Environment(
        loader=loader, undefined=StrictUndefined, autoescape=select_autoescape(["html"])
    )
    return environment.get_template(template).render(**values)


def write(www: Path, manifest: Manifest, url: str, push: str, fingerprint: str) -> None:
    """Write the page, `join.py` and `room.json` for the classroom at `url`."""
    join = JOIN.read_bytes()
    (www / JOIN.name).write_bytes(join)
    images = [
        {"name": image.name, "architecture": image.architecture, "codename": image.codename}
        for image in manifest.images
    ]
    room = {"format": "workshop/room/v1", "push": push, "images": images}
    (www / ROOM).write_text(json.dumps(room, indent=1), encoding="utf-8")
    # The picture is ours, and no text of a user.
    from markupsafe import Markup  # noqa: PLC0415 - comes with jinja2

    code = segno.make(f"{url}/").svg_inline(scale=_PIXELS)
    page = render(
        "page.html",
        qr=Markup(code),  # noqa: S704
        url=url,
        push=push,
        fingerprint=fingerprint,
        join_digest=hashlib.sha256(join).hexdigest(),
        sha256sum="sha256sum",
    )
    (www / "index.html").write_text(page, encoding="utf-8")
