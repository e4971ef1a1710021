"""The web application: the page, the site's lessons in it, its data and its WebSockets.

Every address begins with the secret path of `desk.access`, which checks each request first.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from desk import api, lessons, sockets
from desk.access import Access
from workshop.core.errors import UserError
from workshop.core.paths import ROOT
from workshop.site import build

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from desk.desk import Desk
    from desk.session import Session

# Where the page has its first data.
START = '{"error": "start"}'
PAGE = Path(__file__).with_name("index.html")
STATIC = Path(__file__).with_name("static")


def create_app(desk: Desk, session: Session, hosts: frozenset[str] = frozenset()) -> Access:
    """Return the application; `hosts` are the names that it answers to besides loopback."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        watcher = asyncio.create_task(desk.watch())
        # The first page then need not wait for the tasks and the lessons to be read.
        warming = asyncio.create_task(asyncio.to_thread(lessons.warm_up))
        yield
        await warming
        watcher.cancel()
        await desk.close()

    async def page(request: Request) -> Response:
        text = PAGE.read_text(encoding="utf-8")
        try:
            start = await desk.start(request.url.query)
        except UserError as error:
            start = {"error": str(error)}
        # The data are not a script, and no text in them can end their element.
        return HTMLResponse(text.replace(START, json.dumps(start).replace("<", "\\u003c")))

    routes = [
        Route("/", page),
        Mount("/static", StaticFiles(directory=STATIC)),
        Mount("/site", StaticFiles(directory=ROOT / build.SITE, check_dir=False)),
        Mount("/api", routes=api.routes(desk)),
        *sockets.routes(desk),
    ]
    app = Starlette(routes=[Mount(f"/{session.path}", routes=routes)], lifespan=lifespan)
    return Access(app, session, hosts)
