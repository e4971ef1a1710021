"""The page and its actions. Every change redirects back to the page."""

from flask import (
    Blueprint,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from todo_app import database
from todo_app.items import InvalidTitleError, Item, Items

blueprint = Blueprint("todo", __name__)
# PostgreSQL's maximum integer: larger ids return 404 instead of a database error.
ITEM = "/items/<int(max=2147483647):item_id>"


@blueprint.get("/")
def index() -> str:
    """Show the list."""
    return _page()


@blueprint.post("/items")
def add() -> ResponseReturnValue:
    """Add an item; show an invalid title again with the reason."""
    text = request.form.get("title", "")
    try:
        item = _items().add(text)
    except InvalidTitleError as error:
        return _page(text=text, error=str(error)), 422
    return _back(f"Added “{item.title}”.", focus="title")


@blueprint.post(f"{ITEM}/complete")
def complete(item_id: int) -> ResponseReturnValue:
    """Mark an item as done."""
    return _toggled("Completed", _items().complete(item_id))


@blueprint.post(f"{ITEM}/reopen")
def reopen(item_id: int) -> ResponseReturnValue:
    """Mark an item as open again."""
    return _toggled("Reopened", _items().reopen(item_id))


@blueprint.post(f"{ITEM}/delete")
def delete(item_id: int) -> ResponseReturnValue:
    """Delete an item and store it in the browser's session for undo."""
    item = _items().delete(item_id)
    if item is None:
        return _missing()
    session["deleted"] = {"item_id": item.id, "title": item.title, "done": item.done}
    session["offer_undo"] = True
    return _back(f"Deleted “{item.title}”.", focus="undo")


@blueprint.post("/undo")
def undo() -> ResponseReturnValue:
    """Restore the item that this browser deleted last."""
    deleted = session.pop("deleted", None)
    if deleted is None:
        return _back("There is nothing to undo.", focus="title")
    return _toggled("Restored", _items().restore(**deleted))


@blueprint.get("/health")
def health() -> ResponseReturnValue:
    """Return 200 if the database is available, otherwise 503."""
    if database.is_available(current_app.extensions["todo_engine"]):
        return {"status": "ok", "database": "ok"}
    return {"status": "error", "database": "unavailable"}, 503


def _items() -> Items:
    return current_app.extensions["todo_items"]


def _page(text: str = "", error: str = "") -> str:
    items = _items().all()
    return render_template(
        "index.html",
        open_items=[item for item in items if not item.done],
        done_items=[item for item in items if item.done],
        text=text,
        error=error,
        focus=session.pop("focus", "title"),
        offer_undo=session.pop("offer_undo", False),
    )


def _back(message: str, focus: str) -> ResponseReturnValue:
    """Redirect to the page, which shows `message` and focuses the element `focus`."""
    flash(message)
    session["focus"] = focus
    return redirect(url_for("todo.index"), code=303)


def _toggled(verb: str, item: Item | None) -> ResponseReturnValue:
    return _back(f"{verb} “{item.title}”.", focus=f"toggle-{item.id}") if item else _missing()


def _missing() -> ResponseReturnValue:
    return _back("This item was deleted in another window.", focus="title")
