import pytest

from todo_app.settings import StartError, read_settings

KEY = {"SECRET_KEY": "only for the tests"}


def read(debug=False, **environ):
    return read_settings({**KEY, **environ}, debug=debug)


def error_for(environ, debug=False):
    with pytest.raises(StartError) as caught:
        read_settings(environ, debug=debug)
    return str(caught.value)


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, "SECRET_KEY is not set, "),
        ({"SECRET_KEY": ""}, "SECRET_KEY is empty, "),
        ({"SECRET_KEY": "  "}, "SECRET_KEY is empty, "),
    ],
)
def test_without_a_secret_key_the_message_shows_how_to_generate_one(environ, found, debug):
    message = error_for(environ, debug=debug)
    assert message.startswith(found)
    assert "Set SECRET_KEY=... in .env" in message
    assert "secrets.token_hex(32)" in message


@pytest.mark.parametrize("value", ['"quoted"', "'quoted'", '"left', "'left", 'right"', "right'"])
@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "SESSION_COOKIE_SECURE"])
def test_a_quotation_mark_at_either_end_is_rejected_and_the_value_is_not_shown(name, value):
    message = error_for({**KEY, name: value})
    assert message.startswith(f"{name} starts or ends with a quotation mark.")
    assert f"Write {name}=value in .env, without quotes" in message
    assert value not in message


def test_the_templates_secret_key_is_rejected():
    message = error_for({"SECRET_KEY": "change-me"})
    assert message.startswith("SECRET_KEY is still the placeholder from .env.template")


def test_debug_mode_accepts_the_templates_secret_key():
    assert read_settings({"SECRET_KEY": "change-me"}, debug=True).secret_key == "change-me"


def test_the_secret_key_is_stripped_and_never_printed():
    settings = read(SECRET_KEY="  hush ")
    assert settings.secret_key == "hush"
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    "address",
    [
        "hunter2",
        "sqlite",
        "postgresql://user:hunter2@host:port/name",
        "://hunter2",
        "a b://hunter2",
    ],
)
def test_an_invalid_url_is_rejected_and_not_shown(address):
    message = error_for({**KEY, "DATABASE_URL": address})
    assert f"DATABASE_URL is not a valid database URL (found {len(address)} characters)" in message
    assert "postgresql://USER:PASSWORD@HOST:5432/NAME" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("driver", ["mysql", "sqlite+aiosqlite", "postgresql+psycopg2"])
def test_an_unsupported_database_is_rejected_and_its_password_is_not_shown(driver):
    message = error_for({**KEY, "DATABASE_URL": f"{driver}://user:hunter2@host/name"})
    assert message.startswith(f"DATABASE_URL uses {driver}, which this app does not support.")
    assert "hunter2" not in message


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_sqlite_in_memory_is_rejected(address):
    message = error_for({**KEY, "DATABASE_URL": address})
    assert message.startswith("DATABASE_URL selects SQLite in memory")
    assert "sqlite:////data/todo.db" in message


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_postgresql_scheme_uses_psycopg(scheme):
    url = read(DATABASE_URL=f"{scheme}://user:p%40ss@host:5433/name?sslmode=require").database_url
    assert url.drivername == "postgresql+psycopg"
    assert (url.username, url.password, url.host, url.port) == ("user", "p@ss", "host", 5433)
    assert (url.database, url.query["sslmode"]) == ("name", "require")


@pytest.mark.parametrize("environ", [{}, {"DATABASE_URL": ""}, {"DATABASE_URL": " "}])
def test_without_a_url_the_items_are_in_the_volume(environ):
    assert str(read(**environ).database_url) == "sqlite:////data/todo.db"


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        *(("", False), ("0", False), ("false", False), ("False", False)),
        *(("1", True), ("true", True), ("TRUE", True), (" 1 ", True)),
    ],
)
def test_a_flag_is_on_or_off(value, meaning):
    assert read(SESSION_COOKIE_SECURE=value).session_cookie_secure is meaning


def test_a_flag_that_is_not_set_is_off():
    assert read().session_cookie_secure is False


@pytest.mark.parametrize("value", ["2", "yes", "on", "01"])
def test_an_invalid_flag_is_rejected(value):
    message = error_for({**KEY, "SESSION_COOKIE_SECURE": value})
    assert message.startswith(f"SESSION_COOKIE_SECURE is {value!r}, expected 1 (yes) or 0 (no).")


def test_the_unchanged_template_starts_the_app_in_debug_mode(template):
    assert read_settings(template, debug=True).secret_key == "change-me"


def test_the_template_has_no_quotes_and_no_spaces_around_the_equals_sign(template):
    for name, value in template.items():
        assert name == name.strip()
        assert value == value.strip("'\" ")


@pytest.fixture
def template(request):
    """Return the variables in .env.template as `docker run --env-file` reads them."""
    lines = (request.config.rootpath / ".env.template").read_text().splitlines()
    set_lines = [line for line in lines if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in set_lines)
