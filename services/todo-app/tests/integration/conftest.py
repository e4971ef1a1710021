"""The app over SQLite and, when there is one, over PostgreSQL."""

import os

import pytest
from visiting import Visitor

POSTGRESQL = os.environ.get("TEST_DATABASE_URL", "")


# Each test of the list runs on both, where both can be had; test_start.py says when not.
@pytest.fixture(params=["sqlite", "postgresql"] if POSTGRESQL else ["sqlite"])
def database_url(request, sqlite_url):
    return sqlite_url if request.param == "sqlite" else POSTGRESQL


@pytest.fixture
def app(make_app, database_url):
    return make_app(database_url)


@pytest.fixture
def visitor(app):
    return Visitor(app)
