"""Test the API's responses to valid and invalid requests."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from flask.testing import FlaskClient

import degrees_api

ALL_AS_TEXT = """\
[
   {
      "degrees": 5818,
      "id": 0,
      "year": 1990
   },
   {
      "degrees": 5725,
      "id": 1,
      "year": 1991
   },
   {
      "degrees": 6005,
      "id": 2,
      "year": 1992
   },
   {
      "degrees": 6123,
      "id": 3,
      "year": 1993
   },
   {
      "degrees": 6096,
      "id": 4,
      "year": 1994
   }
]
"""


@pytest.fixture
def client() -> FlaskClient:
    """A client that calls the app without a server."""
    return degrees_api.app.test_client()


def test_degrees_returns_exactly_the_five_rows(client: FlaskClient) -> None:
    """The response contains only the rows, indented and with sorted keys."""
    response = client.get("/degrees")
    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.text == ALL_AS_TEXT


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("start=1990", [0, 1, 2, 3, 4]),
        ("start=1992", [2, 3, 4]),
        ("start=1995", []),
        ("start=0", [0, 1, 2, 3, 4]),
        ("limit=2", [0, 1]),
        ("limit=0", []),
        ("limit=5", [0, 1, 2, 3, 4]),
        ("limit=999999999", [0, 1, 2, 3, 4]),
        ("start=1991&limit=2", [1, 2]),
        ("start=1994&limit=2", [4]),
    ],
)
def test_start_is_the_first_year_and_limit_the_maximum_of_rows(
    client: FlaskClient, query: str, ids: list[int]
) -> None:
    """The response omits rows before the year `start` and has at most `limit` rows."""
    response = client.get(f"/degrees?{query}")
    assert response.status_code == 200
    assert [row["id"] for row in response.json] == ids


@pytest.mark.parametrize("row", json.loads(ALL_AS_TEXT), ids=lambda row: row["id"])
def test_a_known_id_returns_its_row(client: FlaskClient, row: dict[str, int]) -> None:
    """The response is one object, not a list."""
    response = client.get(f"/degrees/{row['id']}")
    assert response.status_code == 200
    assert response.json == row


@pytest.mark.parametrize("name", ["start", "limit"])
@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("abc", "'abc'"),
        ("", "''"),
        ("-1", "'-1'"),
        ("%2B1", "'+1'"),
        ("1.5", "'1.5'"),
        ("1e3", "'1e3'"),
        ("1_000", "'1_000'"),
        ("%201990", "' 1990'"),
        ("%D9%A1", "'١'"),
        ("1990%0A", r"'1990\n'"),
        ("9999999999", "'9999999999'"),
        ("9" * 5000, "'999999999999...9999999999999'"),
    ],
)
def test_a_bad_parameter_is_reported_with_its_value_and_the_allowed_range(
    client: FlaskClient, name: str, sent: str, shown: str
) -> None:
    """A value that is not a small whole number returns 400, not 500."""
    response = client.get(f"/degrees?{name}={sent}")
    assert response.status_code == 400
    message = f"{name} must be a whole number from 0 to 999999999, not {shown}"
    assert response.json == {"error": message}


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/degrees/5", 404, "no row has the id 5; the ids are 0, 1, 2, 3, 4"),
        (
            "GET",
            "/degrees/abc",
            400,
            "id must be a whole number from 0 to 999999999, not 'abc'",
        ),
        (
            "GET",
            "/degrees/-1",
            400,
            "id must be a whole number from 0 to 999999999, not '-1'",
        ),
        ("GET", "/", 404, "no such path: '/'; try /degrees"),
        ("GET", "/degrees/", 404, "no such path: '/degrees/'; try /degrees"),
        ("GET", "/nothing", 404, "no such path: '/nothing'; try /degrees"),
        ("POST", "/degrees", 405, "The method is not allowed for the requested URL."),
        ("DELETE", "/degrees/1", 405, "The method is not allowed for the requested URL."),
    ],
)
def test_every_error_is_json(
    client: FlaskClient, method: str, path: str, status: int, message: str
) -> None:
    """The response has the right status and one key, `error`."""
    response = client.open(path, method=method)
    assert response.status_code == status
    assert response.content_type == "application/json"
    assert response.json == {"error": message}


def test_a_wrong_method_lists_the_allowed_ones(client: FlaskClient) -> None:
    """The 405 response keeps its Allow header."""
    assert "GET" in client.post("/degrees").headers["Allow"]


def test_health_returns_ok(client: FlaskClient) -> None:
    """The URL that the health check requests returns 200."""
    response = client.get("/health")
    assert (response.status_code, response.json) == (200, {"status": "ok"})


def run_server(debug: str | None) -> subprocess.Popen[str]:
    """Start the script like the image, with or without DEBUG, and wait until it responds."""
    env = {key: value for key, value in os.environ.items() if key != "DEBUG"}
    if debug is not None:
        env["DEBUG"] = debug
    server = subprocess.Popen(
        [sys.executable, degrees_api.__file__],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{degrees_api.PORT}/health", timeout=1).close()
            return server
        except OSError:  # also a time-out while reading
            time.sleep(0.05)
    server.kill()
    raise AssertionError(f"the server does not respond: {server.communicate()[0]}")


@pytest.mark.parametrize(
    ("debug", "has_debugger"), [(None, False), ("", False), ("0", False), ("1", True)]
)
def test_debug_is_off_by_default_and_sigterm_stops_the_server(
    debug: str | None, has_debugger: bool
) -> None:
    """Only DEBUG=1 starts the debugger. After SIGTERM, the server exits with 0."""
    server = run_server(debug)
    server.send_signal(signal.SIGTERM)
    output, _ = server.communicate(timeout=20)
    assert server.returncode == 0
    assert ("Debugger is active" in output) == has_debugger
    assert ("Serving degrees_api on http://0.0.0.0:5000" in output) != has_debugger
