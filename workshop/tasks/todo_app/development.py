"""The development image: debug mode, with the learner's source mounted over the image's."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from workshop.model import Failed, check
from workshop.tasks.todo_app.serving import (
    PATIENCE_SECONDS,
    POLL_SECONDS,
    first_answer,
    has_debugger,
)

if TYPE_CHECKING:
    from workshop.analysis.container.app import App

RELOAD_SECONDS = 15.0
ROUTE = """

@blueprint.get("/workshop-reload")
def workshop_reload() -> str:
    return "reloaded"
"""


@check(
    points=1,
    blame=("CMD", "ENTRYPOINT", "ENV"),
    why="In debug mode, Flask shows where an error occurred and restarts after an edit.",
    hint="flask run --debug, or ENV FLASK_DEBUG=1 in the development stage.",
)
def debug_mode(app: App) -> None:
    """Flask runs in debug mode."""
    if not has_debugger(app):
        raise Failed("Flask's debugger does not respond", "the debugger of Flask's debug mode")


@check(
    points=3,
    blame=("CMD", "ENTRYPOINT"),
    why="If every edit needs a rebuild, development is slow.",
    hint="Run flask in debug mode, with the source in one folder, such as /app/todo_app, "
    "so that your folder can be mounted over it.",
)
def reloads_after_edit(app: App) -> None:
    """An edit of the mounted todo_app takes effect without a rebuild."""
    assert app.folder is not None  # noqa: S101 - the recipe mounts it
    first_answer(app, "/")
    views = app.folder / "views.py"
    text = views.read_text(encoding="utf-8") + ROUTE
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        # Save repeatedly: a reloader that compares modification times may start late.
        views.write_text(text, encoding="utf-8")
        if _route_appears(app):
            return
    actual = f"an added page is missing after {PATIENCE_SECONDS:.0f} seconds"
    raise Failed(actual, "the new page, within seconds")


def _route_appears(app: App) -> bool:
    """Whether the added page responds within the time that a server needs to restart."""
    deadline = time.monotonic() + RELOAD_SECONDS
    while time.monotonic() < deadline:
        if app.get(app.port or 1, "/workshop-reload").body == "reloaded":
            return True
        time.sleep(POLL_SECONDS)
    return False
