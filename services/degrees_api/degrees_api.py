"""Undergraduate degrees awarded each year, as a small JSON API on port 5000."""

import os
import re
import reprlib
import signal
import sys

from flask import Flask, Response, abort, jsonify, request
from flask.json.provider import DefaultJSONProvider
from waitress import serve
from werkzeug.exceptions import HTTPException

# Listen on all addresses: 127.0.0.1 cannot be reached from outside the container.
HOST = "0.0.0.0"
PORT = 5000


class PrettyJSON(DefaultJSONProvider):
    """JSON with sorted keys and an indent of three spaces, easy to read in a terminal."""

    compact = False

    def dumps(self, obj: object, **kwargs: object) -> str:
        """Return obj as indented JSON text."""
        return super().dumps(obj, **(kwargs | {"indent": 3}))


app = Flask(__name__)
app.json = PrettyJSON(app)


def get_data() -> list[dict[str, int]]:
    """Return the five rows: id, calendar year, number of degrees awarded in that year."""
    return [
        {"id": 0, "year": 1990, "degrees": 5818},
        {"id": 1, "year": 1991, "degrees": 5725},
        {"id": 2, "year": 1992, "degrees": 6005},
        {"id": 3, "year": 1993, "degrees": 6123},
        {"id": 4, "year": 1994, "degrees": 6096},
    ]


def whole_number(name: str, text: str) -> int:
    """Return text as a whole number from 0 to 999999999, or abort with 400 and a message."""
    # At most nine digits: int() raises ValueError for several thousand digits.
    if not re.fullmatch("[0-9]{1,9}", text):
        found = reprlib.repr(text)
        abort(400, f"{name} must be a whole number from 0 to 999999999, not {found}")
    return int(text)


@app.get("/degrees")
def degrees() -> Response:
    """Return the rows from the year `start` on (default: all), at most `limit` rows."""
    rows = get_data()
    if "start" in request.args:
        start = whole_number("start", request.args["start"])
        rows = [row for row in rows if row["year"] >= start]
    if "limit" in request.args:
        rows = rows[: whole_number("limit", request.args["limit"])]
    return jsonify(rows)


@app.get("/degrees/<row_id>")
def degrees_for_id(row_id: str) -> Response:
    """Return the row with this id; 400 if it is not a whole number, 404 if no row has it."""
    number = whole_number("id", row_id)
    rows = get_data()
    for row in rows:
        if row["id"] == number:
            return jsonify(row)
    known = ", ".join(str(row["id"]) for row in rows)
    abort(404, f"no row has the id {number}; the ids are {known}")


@app.get("/health")
def health() -> Response:
    """Return 200 while the server is running."""
    return jsonify(status="ok")


@app.errorhandler(404)
def not_found(error: HTTPException) -> Response:
    """Name an unknown path in the response; other 404 errors keep their message."""
    if request.routing_exception is error:
        error.description = f"no such path: {reprlib.repr(request.path)}; try /degrees"
    return json_error(error)


@app.errorhandler(HTTPException)
def json_error(error: HTTPException) -> Response:
    """Return any HTTP error as {"error": message}, with its status and headers."""
    response = error.get_response()
    response.data = app.json.dumps({"error": error.description}) + "\n"
    response.content_type = "application/json"
    return response


def main() -> None:
    """Serve until SIGTERM; with DEBUG=1, use Flask's server, reloader and debugger."""
    # Process 1 ignores SIGTERM without a handler, and `docker stop` would wait 10 s.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if os.environ.get("DEBUG") == "1":
        app.run(host=HOST, port=PORT, debug=True)
    else:
        print(f"Serving degrees_api on http://{HOST}:{PORT}", flush=True)
        serve(app, host=HOST, port=PORT)


if __name__ == "__main__":
    main()
