"""The data of a page, as JSON: one function for each address."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from desk import lessons
from desk.files import Conflict
from workshop.core.errors import UserError

if TYPE_CHECKING:
    from starlette.requests import Request

    from desk.desk import Desk

Query = dict[str, Any]
Handler = Callable[["Desk", Query], Awaitable[object]]

# JSON may need six bytes for one, and a text may have 1 MB.
MAX_BODY = 8_000_000


def routes(desk: Desk) -> list[Route]:
    """Return the routes of the addresses."""

    def route(path: str, method: str, handle: Handler) -> Route:
        return Route(f"/{path}", _answer(desk, handle), methods=[method])

    return [
        route("course", "GET", _course),
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
        route("terminals", "POST", _open_terminal),
        route("terminals", "DELETE", _close_terminal),
    ]


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


async def _course(desk: Desk, _query: Query) -> object:
    return desk.course()


async def _lesson(desk: Desk, query: Query) -> object:
    return await desk.lesson(query["name"])


async def _block(desk: Desk, query: Query) -> object:
    """What a file block would make of a file: the text before and after; nothing is written."""
    before = desk.files.read(query["path"])
    after = lessons.edit(query["lesson"], query["block"], before.text)
    return {"before": before._asdict(), "after": after}


async def _compare(_desk: Desk, query: Query) -> object:
    lines = [str(line) for line in query["lines"]]
    return lessons.compare(query["lesson"], query["block"], query["step"], lines)


async def _list_files(desk: Desk, query: Query) -> object:
    return await asyncio.to_thread(desk.list_files, query["folder"])


async def _read_file(desk: Desk, query: Query) -> object:
    return desk.files.read(query["path"])._asdict()


async def _save_file(desk: Desk, query: Query) -> object:
    path, text, base = str(query["path"]), str(query["text"]), str(query["base"])
    saved = await asyncio.to_thread(desk.files.save, path, text, base)
    task = query.get("task")
    return {"version": saved.version, "verdict": await desk.checks.static(task) if task else None}


async def _check_text(desk: Desk, query: Query) -> object:
    return await desk.checks.static(query["task"])


async def _start_check(desk: Desk, query: Query) -> object:
    desk.checks.start(query["task"])
    return {}


async def _stop_check(desk: Desk, _query: Query) -> object:
    await desk.checks.stop()
    return {}


async def _describe_image(desk: Desk, query: Query) -> object:
    lesson = lessons.find_lesson(query["lesson"])
    names = lessons.describe(lesson, desk.base)["images"]
    return await desk.images.describe(names, query["task"])


async def _open_terminal(desk: Desk, _query: Query) -> object:
    number = desk.terminals.open()
    desk.send({"terminals": desk.terminals.numbers})
    return number


async def _close_terminal(desk: Desk, query: Query) -> object:
    await desk.terminals.close(query["number"])
    desk.send({"terminals": desk.terminals.numbers})
    return {}
