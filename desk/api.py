"""The data of a page, as JSON: one handler for each address."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from inspect import isawaitable
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
Handler = Callable[[Query], object]

# JSON may need six bytes for one, and a text may have 1 MB.
MAX_BODY = 8_000_000


def routes(desk: Desk) -> list[Route]:
    """Return the routes. A handler gets the query or the body, and returns what JSON can hold."""

    def block(query: Query) -> object:
        """Return what a file block would make of a file, before and after; nothing is written."""
        before = desk.files.read(query["path"])
        after = lessons.edit(query["lesson"], query["block"], before.text)
        return {"before": before._asdict(), "after": after}

    def compare(query: Query) -> object:
        lines = [str(line) for line in query["lines"]]
        return lessons.compare(query["lesson"], query["block"], query["step"], lines)

    async def save(query: Query) -> object:
        """Save a file; return its version, and the verdict on the text of its task."""
        path, text, base = str(query["path"]), str(query["text"]), str(query["base"])
        before = str(query.get("before", text))
        saved = await asyncio.to_thread(desk.files.save, path, text, base, before)
        task = query.get("task")
        verdict = await desk.checks.static(task) if task else None
        return {"version": saved.version, "verdict": verdict}

    return [
        _route("GET", "course", lambda _: desk.course()),
        _route("GET", "lesson", lambda query: desk.lesson(query["name"])),
        _route("POST", "block", block),
        _route("POST", "compare", compare),
        _route("GET", "files", lambda query: desk.list_files(query["folder"])),
        _route("GET", "file", lambda query: desk.files.read(query["path"])._asdict()),
        _route("PUT", "file", save),
        _route("POST", "static", lambda query: desk.checks.static(query["task"])),
        _route("POST", "check", lambda query: desk.checks.start(query["task"])),
        _route("DELETE", "check", lambda _: desk.checks.stop()),
        _route("POST", "image", lambda query: desk.describe_image(query["lesson"])),
        _route("POST", "terminals", lambda query: desk.open_terminal(query["folder"])),
        _route("DELETE", "terminals", lambda query: desk.close_terminal(query["number"])),
    ]


def _route(method: str, path: str, handle: Handler) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            query = dict(request.query_params) if method == "GET" else await _body(request)
            found = handle(query)
            return JSONResponse(await found if isawaitable(found) else found)
        except Conflict as conflict:
            return JSONResponse({"conflict": conflict.found._asdict()}, 409)
        except UserError as error:
            return JSONResponse({"error": str(error)}, 422)
        except asyncio.CancelledError:
            # The server ends, and this has taken too long.
            return JSONResponse({"error": "The desk has ended"}, 503)
        except (KeyError, TypeError, ValueError):
            return JSONResponse({"error": "The request is not valid. Load the page again"}, 400)

    return Route(f"/{path}", endpoint, methods=[method])


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
