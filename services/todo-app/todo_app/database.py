"""Open the database, create its tables and check its connection."""

import os

from sqlalchemy import URL, Engine, create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from todo_app.items import Base
from todo_app.settings import StartError

CONNECT_TIMEOUT_SECONDS = 3


def open_database(url: URL) -> Engine:
    """Return an engine for a working database that has the tables.

    Raises StartError, with the URL but never the password, if the database cannot be used.
    """
    try:
        # pool_pre_ping: after a database restart, no request fails.
        engine = create_engine(url, pool_pre_ping=True, connect_args=_connect_args(url))
        try:
            _create_tables(engine)
        finally:
            # gunicorn forks its workers after this, and they must not share a connection.
            engine.dispose()
    # Not only SQLAlchemy's errors: an unknown option in the URL, or a PostgreSQL database with the
    # encoding SQL_ASCII, raises a TypeError.
    except Exception as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise StartError(
            f"DATABASE_URL: cannot use the database {_redacted(url)} ({reason}). {_hint(url)}"
        ) from None
    return engine


def is_available(engine: Engine) -> bool:
    """Return whether the database responds to a query."""
    try:
        with engine.connect() as connection:
            return connection.scalar(text("SELECT 1")) == 1
    except SQLAlchemyError:
        return False


def _create_tables(engine: Engine) -> None:
    try:
        Base.metadata.create_all(engine)
    except SQLAlchemyError:
        # Another container may have created the table after create_all() checked for it.
        if not inspect(engine).has_table("items"):
            raise


def _connect_args(url: URL) -> dict[str, int]:
    if url.get_backend_name() == "sqlite" or "connect_timeout" in url.query:
        return {}
    return {"connect_timeout": CONNECT_TIMEOUT_SECONDS}


def _redacted(url: URL) -> str:
    # Without the query string, which may also contain a password.
    return url.set(query={}).render_as_string(hide_password=True)


def _hint(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return (
            f"The file and its folder must exist and be writable by uid {os.getuid()}: "
            "mount a named volume at /data, or a folder owned by that user"
        )
    return (
        "Check that the server is running, that the database encoding is UTF8, and that the "
        "URL has the right host, port, user, password and name"
    )
