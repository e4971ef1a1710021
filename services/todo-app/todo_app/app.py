"""The application factory."""

import os
import sys
from collections.abc import Mapping

from flask import Flask, Response, render_template
from flask.helpers import get_debug_flag
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from todo_app import views
from todo_app.database import open_database
from todo_app.items import Items
from todo_app.settings import Settings, StartError, read_settings

# If a worker exits with this code, gunicorn does not restart it but exits with the same code.
EXIT_CANNOT_START = 3

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def create_app(environ: Mapping[str, str] = os.environ) -> Flask:
    """Return the app, configured from `environ`, with a working database.

    If the app cannot start, print the reason on one line and exit with code 3.
    """
    app = Flask(__name__)
    try:
        settings = read_settings(environ, debug=get_debug_flag())
        engine = open_database(settings.database_url)
    except StartError as error:
        print(f"todo-app cannot start: {error}", file=sys.stderr, flush=True)
        raise SystemExit(EXIT_CANNOT_START) from None
    app.config.from_mapping(_flask_config(settings))
    app.extensions["todo_engine"] = engine
    app.extensions["todo_items"] = Items(engine)
    CSRFProtect(app)
    app.register_blueprint(views.blueprint)
    app.register_error_handler(HTTPException, _show_error)
    app.register_error_handler(CSRFError, _show_csrf_error)
    app.register_error_handler(OperationalError, _show_database_error)
    app.after_request(_add_headers)
    return app


def _flask_config(settings: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": settings.secret_key,
        "MAX_CONTENT_LENGTH": 16 * 1024,
        # All ports of a host share its cookies: a unique name prevents another app on
        # localhost from overwriting the session.
        "SESSION_COOKIE_NAME": "todo_session",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.session_cookie_secure,
        # A to-do list stays open all day, so its forms are valid as long as the session.
        "WTF_CSRF_TIME_LIMIT": None,
    }


def _add_headers(response: Response) -> Response:
    response.headers.update(HEADERS)
    if response.mimetype in ("text/html", "application/json"):
        # The back button must not show an outdated list.
        response.headers["Cache-Control"] = "no-store"
    return response


def _show_error(error: HTTPException) -> tuple[str, int]:
    page = render_template("error.html", heading=error.name, message=error.description)
    return page, error.code or 500


def _show_csrf_error(_error: CSRFError) -> tuple[str, int]:
    message = (
        "Nothing was changed, because this form does not match your session: the page was opened "
        "too long ago, or your browser blocks its cookies. Open the list and try again."
    )
    return render_template("error.html", heading="Please try again", message=message), 400


def _show_database_error(error: OperationalError) -> tuple[str, int]:
    reason = " ".join(str(error.orig).split())
    print(f"todo-app: database error: {reason}", file=sys.stderr, flush=True)
    message = "Nothing was changed. Wait a moment, then open the list again."
    return render_template("error.html", heading="The list is unavailable", message=message), 503
