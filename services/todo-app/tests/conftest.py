"""Fixtures for all tests: an app with a separate, empty database."""

import pytest
from sqlalchemy import delete

from todo_app.app import create_app
from todo_app.items import Item

SECRET_KEY = "only for the tests"


@pytest.fixture
def make_app(monkeypatch):
    """Return a function that creates an app for a database URL and empties the database."""
    monkeypatch.delenv("FLASK_DEBUG", raising=False)
    engines = []

    def make(database_url, *, empty=True, **environ):
        app = create_app({"SECRET_KEY": SECRET_KEY, "DATABASE_URL": database_url, **environ})
        engine = app.extensions["todo_engine"]
        engines.append(engine)
        if empty:
            with engine.begin() as connection:
                connection.execute(delete(Item))
        return app

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path}/todo.db"
