"""The WebSockets of a page: one for the events, and one for each terminal."""

from __future__ import annotations

import asyncio
import contextlib
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from workshop.core.process import SubprocessRunner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.websockets import WebSocket

    from desk.desk import Desk

# How many events wait for a page that does not read them.
MAX_EVENTS = 1000
# How many messages of a terminal may be on their way to the screen.
MAX_UNDRAWN = 6


def routes(desk: Desk) -> list[WebSocketRoute]:
    """Return the routes of the WebSockets."""
    return [
        WebSocketRoute("/events", partial(_send_events, desk)),
        WebSocketRoute("/terminal/{number:int}", partial(_connect_terminal, desk)),
    ]


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
        async with _sending(connection, send):
            while (await connection.receive())["type"] == "websocket.receive":
                pass
    finally:
        desk.events.discard(queue)


async def _connect_terminal(desk: Desk, connection: WebSocket) -> None:
    """Connect a page with a terminal.

    Bytes are what is printed and typed. Texts are JSON. To the page: `start`, before what was
    printed so far, `size`, the columns and rows of the shell's window, and `ended`. From the page:
    the `size` that it wants, and `drawn`, after each message with bytes.
    """
    terminal = desk.terminals.find(connection.path_params["number"])
    await connection.accept()
    if terminal is None:
        await connection.send_json({"ended": True})
        await connection.close()
        return
    viewer, undrawn = object(), asyncio.Semaphore(MAX_UNDRAWN)
    kept = terminal.attach(viewer)

    async def show() -> None:
        size = terminal.size
        await connection.send_json({"start": True, "size": size})
        await connection.send_bytes(kept)
        while (data := await terminal.read(viewer, size)) or not terminal.ended:
            if size != terminal.size:
                size = terminal.size
                await connection.send_json({"size": size})
            if data:
                await undrawn.acquire()
                await connection.send_bytes(data)
        await connection.send_json({"ended": True})

    try:
        async with _sending(connection, show):
            while (message := await connection.receive())["type"] == "websocket.receive":
                if data := message.get("bytes"):
                    await terminal.write(data)
                    continue
                with contextlib.suppress(ValueError, TypeError, KeyError):
                    order = json.loads(message.get("text") or "")
                    if "size" in order:
                        terminal.resize(*map(int, order["size"]))
                    else:
                        undrawn.release()
    finally:
        terminal.detach(viewer)


@contextlib.asynccontextmanager
async def _sending(
    connection: WebSocket, send: Callable[[], Awaitable[None]]
) -> AsyncIterator[None]:
    """Send until the block ends, which receives until the page goes; after `send`, close."""

    async def send_all() -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
            await send()
            await connection.close()

    sending = asyncio.create_task(send_all())
    try:
        yield
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
