"""Test start-up: an invalid setting exits with code 3 and one line; valid settings serve."""

import os
import re
import signal
import subprocess
import sys

import pytest

from todo_app.app import create_app

KEY = {"SECRET_KEY": "only for the tests"}
GUNICORN = [sys.executable, "-m", "gunicorn", "todo_app.app:create_app()"]


@pytest.fixture(autouse=True)
def _no_debug(monkeypatch):
    monkeypatch.delenv("FLASK_DEBUG", raising=False)


def startup_error(environ, capsys):
    """Return the one line that `create_app` prints before it exits."""
    with pytest.raises(SystemExit) as caught:
        create_app(environ)
    assert caught.value.code == 3
    out, error = capsys.readouterr()
    assert out == ""
    (line,) = error.splitlines()
    return line


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "change-me"}, "SECRET_KEY is still the placeholder"),
        ({**KEY, "DATABASE_URL": "'sqlite:////data/todo.db'"}, "DATABASE_URL starts or ends with"),
        ({**KEY, "DATABASE_URL": "nonsense"}, "DATABASE_URL is not a valid"),
        ({**KEY, "SESSION_COOKIE_SECURE": "maybe"}, "SESSION_COOKIE_SECURE is 'maybe'"),
    ],
)
def test_an_invalid_setting_exits_with_one_line(environ, message, capsys):
    assert startup_error(environ, capsys).startswith(f"todo-app cannot start: {message}")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////nowhere/todo.db", "sqlite:////nowhere/todo.db"),
        ("sqlite:////dev/null", "sqlite:////dev/null"),
        # The driver does not know this option: the error is not SQLAlchemy's.
        ("sqlite:////tmp/todo.db?colour=hunter2", "sqlite:////tmp/todo.db"),
        ("postgresql://user:hunter2@127.0.0.1:1/name", "user:***@127.0.0.1:1/name"),
    ],
)
def test_an_unusable_database_exits_with_one_line(url, shown, capsys):
    line = startup_error({**KEY, "DATABASE_URL": url}, capsys)
    assert line.startswith("todo-app cannot start: DATABASE_URL: cannot use the database ")
    assert f"{shown} (" in line
    assert "hunter2" not in line


def test_debug_mode_accepts_the_placeholder(monkeypatch, sqlite_url):
    monkeypatch.setenv("FLASK_DEBUG", "1")
    app = create_app({"SECRET_KEY": "change-me", "DATABASE_URL": sqlite_url})
    assert app.test_client().get("/health").status_code == 200
    app.extensions["todo_engine"].dispose()


@pytest.mark.skipif(
    not os.environ.get("TEST_DATABASE_URL"),
    reason="TEST_DATABASE_URL is not set: the list is tested only on SQLite",
)
def test_postgresql_can_store_the_items(make_app):
    app = make_app(os.environ["TEST_DATABASE_URL"])
    assert app.extensions["todo_engine"].dialect.name == "postgresql"
    assert app.test_client().get("/health").status_code == 200


def clean_environ(**environ):
    """Return this process's variables without the app's settings, plus `environ`."""
    apps = ("SECRET_KEY", "DATABASE_URL", "SESSION_COOKIE_SECURE", "GUNICORN_CMD_ARGS")
    return {name: value for name, value in os.environ.items() if name not in apps} | environ


def test_gunicorn_exits_at_once_with_the_same_line_and_code():
    done = subprocess.run(  # noqa: S603
        GUNICORN, env=clean_environ(PORT="0"), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if "cannot start" in line]
    assert len(errors) == 1
    assert "SECRET_KEY is not set" in errors[0]


def test_gunicorn_serves_the_app_is_healthy_and_stops_on_sigterm(sqlite_url):
    """Start, check and stop the production server as the image does."""
    environ = clean_environ(**KEY, DATABASE_URL=sqlite_url, PORT="0", WEB_CONCURRENCY="2")
    with subprocess.Popen(GUNICORN, env=environ, stderr=subprocess.PIPE, text=True) as server:  # noqa: S603
        try:
            address = re.compile(r"Listening at: http://0\.0\.0\.0:(\d+)")
            port = next(found[1] for line in server.stderr if (found := address.search(line)))
            assert health_of(port) == 0
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=40)
        assert server.returncode == 0
    assert health_of(port) == 1


def health_of(port):
    """Return the exit code of the image's health check for `port`."""
    command = [sys.executable, "-m", "todo_app.healthcheck"]
    done = subprocess.run(command, env=clean_environ(PORT=port), capture_output=True, timeout=60)  # noqa: S603
    return done.returncode
