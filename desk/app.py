"""The web application: the page, its data, and two kinds of WebSocket.

Every address begins with the secret path of `desk.access`, which checks each request first.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocketDisconnect

from desk import lessons, terminals
from desk.access import Access, Secrets
from desk.checks import Checks
from desk.files import Conflict, Files
from desk.images import Images
from workshop.commands import progress
from workshop.core.errors import UserError
from workshop.core.paths import ROOT, is_local
from workshop.core.process import SubprocessRunner
from workshop.site import build
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.requests import Request
    from starlette.websockets import WebSocket

STATIC = Path(__file__).with_name("static")
# JSON may need six bytes for one, and a text may have 1 MB.
MAX_BODY = 8_000_000
# The site's own pages are parts of the desk's page; opened alone, they run no script.
SITE_POLICY = "default-src 'none'; img-src 'self'; style-src 'self'; sandbox"


@dataclass
class Desk:
    """What the pages share. `base` is the folder in which the lessons' commands run."""

    base: Path
    present: bool = False
    events: set[asyncio.Queue[dict[str, Any]]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.exercises = self.base / lessons.EXERCISES
        self.files = Files(self.exercises)
        self.terminals = terminals.Terminals(self.base)
        self.checks = Checks(self.exercises, self.send)
        self.images = Images(self.exercises)

    def send(self, event: dict[str, Any]) -> None:
        """Send an event to every page."""
        for queue in self.events:
            queue.put_nowait(event)

    async def watch(self) -> None:
        """Send the paths that change in the exercises, until cancelled."""
        from watchfiles import awatch  # noqa: PLC0415 - slow to import

        def matters(_change: object, path: str) -> bool:
            parts = Path(path).relative_to(self.exercises).parts
            return not any(is_local(part) and part != ".env" for part in parts)

        with contextlib.suppress(OSError, RuntimeError):
            async for changes in awatch(
                self.exercises, watch_filter=matters, debounce=100, step=20
            ):
                paths = {Path(path).relative_to(self.exercises).as_posix() for _, path in changes}
                self.send({"files": sorted(paths)})

    async def close(self) -> None:
        """End the terminals and the running check."""
        await asyncio.gather(self.terminals.close_all(), self.checks.stop())


def create_app(desk: Desk, secrets: Secrets, hosts: frozenset[str] = frozenset()) -> Access:
    """Return the application; `hosts` are the names that it answers to besides loopback."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        watcher = asyncio.create_task(desk.watch())
        yield
        watcher.cancel()
        await desk.close()

    def route(path: str, method: str, handle: Handler) -> Route:
        return Route(f"/api/{path}", _answer(desk, handle), methods=[method])

    def websocket(path: str, handle: Callable[[Desk, WebSocket], Awaitable[None]]) -> object:
        return WebSocketRoute(path, lambda connection: handle(desk, connection))

    routes = [
        Route("/", _page),
        Mount("/static", StaticFiles(directory=STATIC)),
        Mount("/site", _Site(directory=ROOT / build.SITE, html=True, check_dir=False)),
        route("course", "GET", _course),
        route("engine", "GET", _engine),
        route("lesson", "GET", _lesson),
        route("block", "POST", _block),
        route("compare", "POST", _compare),
        route("files", "GET", _list_files),
        route("file", "GET", _read_file),
        route("file", "PUT", _save_file),
        route("static", "POST", _check_text),
        route("check", "POST", _start_check),
        route("check", "DELETE", _stop_check),
        route("image", "POST", _describe_image),
        route("terminals", "GET", _list_terminals),
        route("terminals", "POST", _open_terminal),
        route("terminals", "DELETE", _close_terminal),
        websocket("/events", _send_events),
        websocket("/terminal/{number:int}", _connect_terminal),
    ]
    prefix = f"/{secrets.path}"
    app = Starlette(routes=[Mount(prefix, routes=routes)], lifespan=lifespan)  # type: ignore[arg-type]
    return Access(app, secrets, hosts)


class _Site(StaticFiles):
    """The built site."""

    async def get_response(self, path: str, scope: Any) -> Response:  # noqa: ANN401 - of Starlette
        response = await super().get_response(path, scope)
        if response.headers.get("content-type", "").startswith("text/html"):
            response.headers["Content-Security-Policy"] = SITE_POLICY
        return response


Query = dict[str, Any]


def _answer(desk: Desk, handle: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint: `handle` gets the query or the body, and returns what JSON can hold."""

    async def endpoint(request: Request) -> Response:
        try:
            query = dict(request.query_params) if request.method == "GET" else await _body(request)
            return JSONResponse(await handle(desk, query))
        except Conflict as conflict:
            return JSONResponse({"conflict": conflict.found._asdict()}, 409)
        except UserError as error:
            return JSONResponse({"error": str(error)}, 422)
        except (KeyError, TypeError, ValueError):
            return JSONResponse({"error": "The request is not valid. Load the page again"}, 400)

    return endpoint


async def _body(request: Request) -> Query:
    """Return the body, a JSON object of limited size."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise UserError("the text", "it is larger than the editor saves", "Make it shorter")
    found = json.loads(body)
    if not isinstance(found, dict):
        raise TypeError(found)
    return found


Handler = "Callable[[Desk, Query], Awaitable[Any]]"


async def _page(_request: Request) -> Response:
    return FileResponse(STATIC / "index.html")


async def _course(desk: Desk, _query: Query) -> Any:
    rows = progress.read(desk.exercises)
    names = {
        name: {
            "title": course.task(name).title,
            "state": rows[name].state if name in rows else "",
            "points": rows[name].points if name in rows else 0,
            "max_points": course.task(name).max_score,
        }
        for name in course.TASKS
    }
    return {
        "lessons": [lesson._asdict() for lesson in lessons.lessons_in_order()],
        "tasks": names,
        "last": progress.find_last(rows),
        "base": str(desk.base),
        "present": desk.present,
        "terminal": terminals.AVAILABLE,
    }


async def _engine(_desk: Desk, _query: Query) -> Any:
    from workshop.engine import Engine  # noqa: PLC0415 - not needed for the first lesson

    return {"answers": await asyncio.to_thread(Engine(SubprocessRunner()).info) is not None}


async def _lesson(desk: Desk, query: Query) -> Any:
    return lessons.describe(lessons.find_lesson(query["name"]), desk.base)


async def _block(desk: Desk, query: Query) -> Any:
    """What a file block would make of a file: the text before and after, nothing is written."""
    path = query["path"]
    try:
        before = desk.files.read(path)
    except UserError as error:
        if "there is no such file" not in error.found:
            raise
        before = None
    after = lessons.edit(query["lesson"], query["block"], before.text if before else "")
    return {"before": before and before._asdict(), "after": after}


async def _compare(_desk: Desk, query: Query) -> Any:
    lines = [str(line) for line in query["lines"]]
    return lessons.compare(query["lesson"], query["block"], query["step"], lines)


async def _list_files(desk: Desk, query: Query) -> Any:
    return await asyncio.to_thread(desk.files.list, query["folder"])


async def _read_file(desk: Desk, query: Query) -> Any:
    return desk.files.read(query["path"])._asdict()


async def _save_file(desk: Desk, query: Query) -> Any:
    path, text, base = str(query["path"]), str(query["text"]), str(query["base"])
    saved = await asyncio.to_thread(desk.files.save, path, text, base)
    return {"version": saved.version}


async def _check_text(desk: Desk, query: Query) -> Any:
    return await desk.checks.static(query["task"])


async def _start_check(desk: Desk, query: Query) -> Any:
    desk.checks.start(query["task"])
    return {}


async def _stop_check(desk: Desk, _query: Query) -> Any:
    await desk.checks.stop()
    return {}


async def _describe_image(desk: Desk, query: Query) -> Any:
    lesson = lessons.find_lesson(query["lesson"])
    names = lessons.describe(lesson, desk.base)["images"]
    return await desk.images.describe(names, query["task"])


async def _list_terminals(desk: Desk, _query: Query) -> Any:
    return desk.terminals.numbers


async def _open_terminal(desk: Desk, _query: Query) -> Any:
    number = desk.terminals.open()
    desk.send({"terminals": desk.terminals.numbers})
    return number


async def _close_terminal(desk: Desk, query: Query) -> Any:
    await desk.terminals.close(query["number"])
    desk.send({"terminals": desk.terminals.numbers})
    return {}


async def _send_events(desk: Desk, connection: WebSocket) -> None:
    """Send events to a page until it goes: first those of the running check."""
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    await connection.accept()
    for event in desk.checks.events:
        queue.put_nowait(event)
    desk.events.add(queue)

    async def send() -> None:
        while True:
            await connection.send_json(await queue.get())

    try:
        await _until_first_ends(send(), _drain(connection))
    finally:
        desk.events.discard(queue)


async def _connect_terminal(desk: Desk, connection: WebSocket) -> None:
    """Connect a page with a terminal.

    Bytes are what is printed and typed. Texts are JSON: to the page `start`, the length of what
    was printed before, and `ended`; from the page `size`, columns and rows, and `drawn`, a
    position in what was printed.
    """
    terminal = desk.terminals.find(connection.path_params["number"])
    await connection.accept()
    if terminal is None:
        await connection.send_json({"ended": True})
        await connection.close()
        return
    viewer = object()
    kept, position = terminal.attach(viewer)
    await connection.send_json({"start": len(kept), "position": position})
    await connection.send_bytes(kept)

    async def show() -> None:
        at = position
        while True:
            data, at = await terminal.read(at)
            if not data:
                await connection.send_json({"ended": True})
                return
            await connection.send_bytes(data)
            await terminal.wait_for(viewer, at)

    try:
        await _until_first_ends(show(), _type(connection, terminal, viewer))
    finally:
        terminal.detach(viewer)


async def _type(connection: WebSocket, terminal: terminals.Terminal, viewer: object) -> None:
    """Pass on what a page types, until it goes."""
    while (message := await connection.receive())["type"] == "websocket.receive":
        if data := message.get("bytes"):
            await terminal.write(data)
            continue
        with contextlib.suppress(ValueError, TypeError, KeyError):
            order = json.loads(message.get("text") or "")
            if "size" in order:
                terminal.resize(*map(int, order["size"]))
            else:
                terminal.acknowledge(viewer, int(order["drawn"]))


async def _drain(connection: WebSocket) -> None:
    """Wait until a page goes."""
    while (await connection.receive())["type"] == "websocket.receive":
        pass


async def _until_first_ends(*works: Any) -> None:  # noqa: ANN401 - coroutines
    """Run both until one ends; a page that goes is not an error."""
    running = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
                task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
