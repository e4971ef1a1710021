"""Fixtures for the app on SQLite and, if configured, on PostgreSQL."""

import os

import pytest
from visitor import Visitor

POSTGRESQL = os.environ.get("TEST_DATABASE_URL", "")


# Tests run on both databases if TEST_DATABASE_URL is set; test_start.py reports if it is not.
@pytest.fixture(params=["sqlite", "postgresql"] if POSTGRESQL else ["sqlite"])
def database_url(request, sqlite_url):
    return sqlite_url if request.param == "sqlite" else POSTGRESQL


@pytest.fixture
def app(make_app, database_url):
    return make_app(database_url)


@pytest.fixture
def visitor(app):
    return Visitor(app)
