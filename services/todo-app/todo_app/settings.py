"""Settings, read from environment variables once, at start, and checked there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

DEFAULT_DATABASE_URL = "sqlite:////data/todo.db"
PLACEHOLDER_SECRET_KEY = "change-me"  # noqa: S105 - the very value that is refused

_QUOTES = ("'", '"')
_MAKE_A_KEY = 'make one with: python -c "import secrets; print(secrets.token_hex(32))"'
_DRIVERS = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_FLAGS = {"": False, "0": False, "false": False, "1": True, "true": True}


class StartError(Exception):
    """The app cannot start; the message is one line with the thing, what was found and the cure."""


@dataclass(frozen=True)
class Settings:
    """What the app was told from outside; every value is known to be well formed."""

    secret_key: str = field(repr=False)
    database_url: URL
    session_cookie_secure: bool


def read_settings(environ: Mapping[str, str], *, debug: bool) -> Settings:
    """Read the settings from `environ`; only `debug` accepts the template's own SECRET_KEY.

    Raises StartError, naming the variable, when a value is missing or malformed.
    """
    return Settings(
        secret_key=_secret_key(environ, debug=debug),
        database_url=_database_url(environ),
        session_cookie_secure=_flag(environ, "SESSION_COOKIE_SECURE"),
    )


def _secret_key(environ: Mapping[str, str], *, debug: bool) -> str:
    key = _unquoted(environ, "SECRET_KEY")
    if not key:
        found = "is empty" if "SECRET_KEY" in environ else "is not set"
        raise StartError(
            f"SECRET_KEY {found}: it signs the session cookie, so the app needs one. "
            f"Set SECRET_KEY=... in .env; {_MAKE_A_KEY}"
        )
    if key == PLACEHOLDER_SECRET_KEY and not debug:
        raise StartError(
            "SECRET_KEY is still the placeholder of .env.template, which everyone knows. "
            f"Set your own in .env; {_MAKE_A_KEY}"
        )
    return key


def _database_url(environ: Mapping[str, str]) -> URL:
    text = _unquoted(environ, "DATABASE_URL") or DEFAULT_DATABASE_URL
    wanted = "sqlite:////data/todo.db or postgresql://USER:PASSWORD@HOST:5432/NAME"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # The text itself is not shown: it may hold a password.
        raise StartError(
            f"DATABASE_URL cannot be read: found {len(text)} characters that are no address of a "
            f"database. Write it as {wanted}; in a password, write @ : / as %40 %3A %2F"
        ) from None
    if url.drivername not in _DRIVERS:
        raise StartError(
            f"DATABASE_URL names {url.drivername}, which this app does not speak. "
            f"Write it as {wanted}"
        )
    if url.drivername == "sqlite" and url.database in (None, "", ":memory:"):
        raise StartError(
            "DATABASE_URL asks for SQLite in memory, where each worker process would keep a list "
            "of its own. Name a file: sqlite:////data/todo.db"
        )
    return url.set(drivername=_DRIVERS[url.drivername])


def _flag(environ: Mapping[str, str], name: str) -> bool:
    value = _unquoted(environ, name)
    if value.lower() not in _FLAGS:
        raise StartError(f"{name} is {value!r}, wanted 1 (yes) or 0 (no). Mend it in .env")
    return _FLAGS[value.lower()]


def _unquoted(environ: Mapping[str, str], name: str) -> str:
    """Return the variable without blanks around it; quotes around it are an error."""
    value = environ.get(name, "").strip()
    if value.startswith(_QUOTES) or value.endswith(_QUOTES):
        raise StartError(
            f"{name} has a quotation mark at its start or end. `docker run --env-file` passes "
            f"quotes on as part of the value. Write {name}=value in .env, without quotes"
        )
    return value
