"""The way to the database: open it, make its tables, ask whether it answers."""

import os

from sqlalchemy import URL, Engine, create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from todo_app.items import Base
from todo_app.settings import StartError

CONNECT_TIMEOUT_SECONDS = 3


def open_database(url: URL) -> Engine:
    """Return an engine whose database answers and holds the tables.

    Raises StartError, with the address but never the password, when it does not answer.
    """
    # pool_pre_ping: a database that was restarted costs no request an error.
    engine = create_engine(url, pool_pre_ping=True, connect_args=_connect_args(url))
    try:
        _create_tables(engine)
    except SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise StartError(
            f"DATABASE_URL: the database {_shown(url)} does not answer ({reason}). {_cure(url)}"
        ) from None
    finally:
        # gunicorn forks its workers after this: no two of them may share a connection.
        engine.dispose()
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
    return "Check that the server runs, and the host, port, user, password and name in the address"
