"""The WebSockets of a page: one for the events, and one for each terminal."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from workshop.core.process import SubprocessRunner

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from starlette.websockets import WebSocket

    from desk.desk import Desk
    from desk.terminals import Terminal


# How many events wait for a page that does not read them.
MAX_EVENTS = 1000


def routes(desk: Desk) -> list[WebSocketRoute]:
    """Return the routes of the WebSockets."""

    def route(path: str, handle: Callable[[Desk, WebSocket], Awaitable[None]]) -> WebSocketRoute:
        async def endpoint(connection: WebSocket) -> None:
            await handle(desk, connection)

        return WebSocketRoute(path, endpoint)

    return [route("/events", _send_events), route("/terminal/{number:int}", _connect_terminal)]


async def _send_events(desk: Desk, connection: WebSocket) -> None:
    """Send events to a page until it goes or misses one: first those of the running check."""
    from workshop.engine import Engine  # noqa: PLC0415 - not needed for the first lesson

    queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(MAX_EVENTS)
    await connection.accept()
    desk.events.add(queue)

    async def send() -> None:
        first = {"terminals": desk.terminals.numbers, "connected": True}
        for event in (first, *desk.checks.events):
            await connection.send_json(event)
        answers = await asyncio.to_thread(Engine(SubprocessRunner()).info) is not None
        await connection.send_json({"engine": answers})
        while (news := await queue.get()) is not None:
            await connection.send_json(news)

    try:
        await _until_first_ends(send(), _drain(connection))
    finally:
        desk.events.discard(queue)


async def _connect_terminal(desk: Desk, connection: WebSocket) -> None:
    """Connect a page with a terminal.

    Bytes are what is printed and typed. Texts are JSON: to the page `start`, the length of what
    was printed before, `ended`, and `size`, the columns and rows that another page has set; from
    the page its own `size`, and `drawn`, a position in what was printed.
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
        at, size = position, terminal.size
        while True:
            data, at = await terminal.read(at, size)
            if size != terminal.size:
                size = terminal.size
                await connection.send_json({"size": size})
                if not data:
                    continue
            if not data:
                await connection.send_json({"ended": True})
                return
            await connection.send_bytes(data)
            await terminal.wait_for(viewer, at)

    try:
        await _until_first_ends(show(), _type(connection, terminal, viewer))
    finally:
        terminal.detach(viewer)


async def _type(connection: WebSocket, terminal: Terminal, viewer: object) -> None:
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


async def _until_first_ends(*works: Coroutine[Any, Any, None]) -> None:
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
