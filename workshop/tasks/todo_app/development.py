"""The development image: debug mode, and the learner's own source over the image's."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from workshop.model import Failed, check
from workshop.tasks.todo_app.serving import PATIENCE_SECONDS, POLL_SECONDS, ask, debugger
from workshop.tasks.todo_app.target import LESSON

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
    lesson=LESSON,
    blame=("CMD", "ENTRYPOINT", "ENV"),
    why="In debug mode Flask shows where an error happened, and starts again after an edit.",
    hint="flask run --debug, or ENV FLASK_DEBUG=1 in the development stage.",
)
def debug_mode(app: App) -> None:
    """Flask runs in debug mode."""
    if not debugger(app):
        raise Failed("Flask's debugger does not answer", "the debugger that debug mode brings")


@check(
    points=3,
    lesson=LESSON,
    blame=("CMD", "ENTRYPOINT"),
    why="An image that has to be built after every edit is no place to develop in.",
    hint="flask run in debug mode, and the source in one folder, such as /app/todo_app, "
    "over which yours is mounted.",
)
def reloads_after_edit(app: App) -> None:
    """An edited line of the mounted todo_app shows without a new image."""
    assert app.folder is not None  # noqa: S101 - the recipe says that it is mounted
    ask(app, "/")
    views = app.folder / "views.py"
    text = views.read_text(encoding="utf-8") + ROUTE
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        # Saved again and again: who looks at the time of the last change may look late.
        views.write_text(text, encoding="utf-8")
        if _appears(app):
            return
    actual = f"a page that was added is not there after {PATIENCE_SECONDS:.0f} seconds"
    raise Failed(actual, "the new page, within seconds")


def _appears(app: App) -> bool:
    """Whether the added page comes within the time that a server takes to start again."""
    deadline = time.monotonic() + RELOAD_SECONDS
    while time.monotonic() < deadline:
        if app.get(app.port or 1, "/workshop-reload").body == "reloaded":
            return True
        time.sleep(POLL_SECONDS)
    return False
