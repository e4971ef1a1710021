"""Settings, read from environment variables and validated once at start-up."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

DEFAULT_DATABASE_URL = "sqlite:////data/todo.db"
PLACEHOLDER_SECRET_KEY = "change-me"  # noqa: S105 - the app rejects this value

_QUOTES = ("'", '"')
_GENERATE_A_KEY = 'generate a key with: python -c "import secrets; print(secrets.token_hex(32))"'
_DRIVERS = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_FLAGS = {"": False, "0": False, "false": False, "1": True, "true": True}


class StartError(Exception):
    """The app cannot start; the message is one line with the setting, its value and the fix."""


@dataclass(frozen=True)
class Settings:
    """The settings of the app; all values are valid."""

    secret_key: str = field(repr=False)
    database_url: URL
    session_cookie_secure: bool


def read_settings(environ: Mapping[str, str], *, debug: bool) -> Settings:
    """Read the settings from `environ`; only `debug` accepts the template's SECRET_KEY.

    Raises StartError, naming the variable, if a value is missing or invalid.
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
            f"SECRET_KEY {found}, but the app needs it to sign the session cookie. "
            f"Set SECRET_KEY=... in .env; {_GENERATE_A_KEY}"
        )
    if key == PLACEHOLDER_SECRET_KEY and not debug:
        raise StartError(
            "SECRET_KEY is still the placeholder from .env.template, which is public. "
            f"Set your own key in .env; {_GENERATE_A_KEY}"
        )
    return key


def _database_url(environ: Mapping[str, str]) -> URL:
    text = _unquoted(environ, "DATABASE_URL") or DEFAULT_DATABASE_URL
    expected = "sqlite:////data/todo.db or postgresql://USER:PASSWORD@HOST:5432/NAME"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # Do not show the text: it may contain a password.
        raise StartError(
            f"DATABASE_URL is not a valid database URL (found {len(text)} characters). "
            f"Write it as {expected}; in a password, write @ : / as %40 %3A %2F"
        ) from None
    if url.drivername not in _DRIVERS:
        raise StartError(
            f"DATABASE_URL uses {url.drivername}, which this app does not support. "
            f"Write it as {expected}"
        )
    if url.drivername == "sqlite" and url.database in (None, "", ":memory:"):
        raise StartError(
            "DATABASE_URL selects SQLite in memory, which gives each worker process a separate "
            "list. Use a file: sqlite:////data/todo.db"
        )
    return url.set(drivername=_DRIVERS[url.drivername])


def _flag(environ: Mapping[str, str], name: str) -> bool:
    value = _unquoted(environ, name)
    if value.lower() not in _FLAGS:
        raise StartError(f"{name} is {value!r}, expected 1 (yes) or 0 (no). Fix it in .env")
    return _FLAGS[value.lower()]


def _unquoted(environ: Mapping[str, str], name: str) -> str:
    """Return the variable without surrounding spaces; raise StartError if it is quoted."""
    value = environ.get(name, "").strip()
    if value.startswith(_QUOTES) or value.endswith(_QUOTES):
        raise StartError(
            f"{name} starts or ends with a quotation mark. `docker run --env-file` keeps quotes as "
            f"part of the value. Write {name}=value in .env, without quotes"
        )
    return value
