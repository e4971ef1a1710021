"""Starting: a bad setting ends it with code 3 and one line; a good one serves."""

import os
import re
import signal
import subprocess
import sys

import pytest

from todo_app.app import create_app

KEY = {"SECRET_KEY": "made up for the tests"}
GUNICORN = [sys.executable, "-m", "gunicorn", "todo_app.app:create_app()"]


@pytest.fixture(autouse=True)
def _no_debug(monkeypatch):
    monkeypatch.delenv("FLASK_DEBUG", raising=False)


def refusal(environ, capsys):
    """Return the one line that `create_app` prints before it gives up."""
    with pytest.raises(SystemExit) as caught:
        create_app(environ)
    assert caught.value.code == 3
    out, error = capsys.readouterr()
    assert out == ""
    (line,) = error.splitlines()
    return line


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "change-me"}, "SECRET_KEY is still the placeholder"),
        ({**KEY, "DATABASE_URL": "'sqlite:////data/todo.db'"}, "DATABASE_URL has a quotation"),
        ({**KEY, "DATABASE_URL": "nonsense"}, "DATABASE_URL cannot be read"),
        ({**KEY, "SESSION_COOKIE_SECURE": "maybe"}, "SESSION_COOKIE_SECURE is 'maybe'"),
    ],
)
def test_a_bad_setting_ends_it_with_one_line(environ, says, capsys):
    assert refusal(environ, capsys).startswith(f"todo-app cannot start: {says}")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////nowhere/todo.db", "sqlite:////nowhere/todo.db"),
        ("sqlite:////dev/null", "sqlite:////dev/null"),
        # A word that the driver does not know: no error of SQLAlchemy's.
        ("sqlite:////tmp/todo.db?colour=hunter2", "sqlite:////tmp/todo.db"),
        ("postgresql://user:hunter2@127.0.0.1:1/name", "user:***@127.0.0.1:1/name"),
    ],
)
def test_a_database_that_cannot_be_used_ends_it_with_one_line(url, shown, capsys):
    line = refusal({**KEY, "DATABASE_URL": url}, capsys)
    assert line.startswith("todo-app cannot start: DATABASE_URL: the database ")
    assert f"{shown} cannot be used (" in line
    assert "hunter2" not in line


def test_the_placeholder_will_do_for_debugging(monkeypatch, sqlite_url):
    monkeypatch.setenv("FLASK_DEBUG", "1")
    app = create_app({"SECRET_KEY": "change-me", "DATABASE_URL": sqlite_url})
    assert app.test_client().get("/health").status_code == 200
    app.extensions["todo_engine"].dispose()


@pytest.mark.skipif(
    not os.environ.get("TEST_DATABASE_URL"),
    reason="TEST_DATABASE_URL names no PostgreSQL database: the list is tested on SQLite alone",
)
def test_the_items_can_live_in_postgresql(make_app):
    app = make_app(os.environ["TEST_DATABASE_URL"])
    assert app.extensions["todo_engine"].dialect.name == "postgresql"
    assert app.test_client().get("/health").status_code == 200


def clean_environ(**environ):
    """Return this process's variables without the app's own, and with these."""
    apps = ("SECRET_KEY", "DATABASE_URL", "SESSION_COOKIE_SECURE", "GUNICORN_CMD_ARGS")
    return {name: value for name, value in os.environ.items() if name not in apps} | environ


def test_gunicorn_ends_at_once_with_the_same_line_and_code():
    done = subprocess.run(  # noqa: S603
        GUNICORN, env=clean_environ(PORT="0"), capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    told = [line for line in done.stderr.splitlines() if "cannot start" in line]
    assert len(told) == 1
    assert "SECRET_KEY is not set" in told[0]


def test_gunicorn_serves_the_app_is_found_well_and_stops_when_told(sqlite_url):
    """The production server, its health check and its SIGTERM, as the image runs them."""
    environ = clean_environ(**KEY, DATABASE_URL=sqlite_url, PORT="0", WEB_CONCURRENCY="2")
    with subprocess.Popen(GUNICORN, env=environ, stderr=subprocess.PIPE, text=True) as server:  # noqa: S603
        try:
            address = re.compile(r"Listening at: http://0\.0\.0\.0:(\d+)")
            port = next(found[1] for line in server.stderr if (found := address.search(line)))
            assert health_of(port) == 0
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=10)
        assert server.returncode == 0
    assert health_of(port) == 1


def health_of(port):
    """Return the exit code of the image's health check when it asks at `port`."""
    words = [sys.executable, "-m", "todo_app.healthcheck"]
    done = subprocess.run(words, env=clean_environ(PORT=port), capture_output=True, timeout=20)  # noqa: S603
    return done.returncode
