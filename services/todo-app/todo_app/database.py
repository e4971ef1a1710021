"""The way to the database: open it, make its tables, ask whether it answers."""

import os

from sqlalchemy import URL, Engine, create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from todo_app.items import Base
from todo_app.settings import StartError

CONNECT_TIMEOUT_SECONDS = 3


def open_database(url: URL) -> Engine:
    """Return an engine whose database answers and holds the tables.

    Raises StartError, with the address but never the password, when it cannot be used.
    """
    try:
        # pool_pre_ping: a database that was restarted costs no request an error.
        engine = create_engine(url, pool_pre_ping=True, connect_args=_connect_args(url))
        try:
            _create_tables(engine)
        finally:
            # gunicorn forks its workers after this: no two of them may share a connection.
            engine.dispose()
    # Not SQLAlchemy's errors alone: an unknown word in the address, or a PostgreSQL that stores
    # SQL_ASCII, ends in a TypeError.
    except Exception as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise StartError(
            f"DATABASE_URL: the database {_shown(url)} cannot be used ({reason}). {_cure(url)}"
        ) from None
    return engine


def answers(engine: Engine) -> bool:
    """Say whether the database answers a question now."""
    try:
        with engine.connect() as connection:
            return connection.scalar(text("SELECT 1")) == 1
    except SQLAlchemyError:
        return False


def _create_tables(engine: Engine) -> None:
    try:
        Base.metadata.create_all(engine)
    except SQLAlchemyError:
        # Another container may have made the table between our look and our own try.
        if not inspect(engine).has_table("items"):
            raise


def _connect_args(url: URL) -> dict[str, int]:
    if url.get_backend_name() == "sqlite" or "connect_timeout" in url.query:
        return {}
    return {"connect_timeout": CONNECT_TIMEOUT_SECONDS}


def _shown(url: URL) -> str:
    # Without its query, which may hold a password too.
    return url.set(query={}).render_as_string(hide_password=True)


def _cure(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return (
            f"The file and its folder must be there and writable for uid {os.getuid()}: "
            "mount a named volume at /data, or a folder that belongs to that user"
        )
    return (
        "Check that the server runs, that the database's encoding is UTF8, and the host, port, "
        "user, password and name in the address"
    )
