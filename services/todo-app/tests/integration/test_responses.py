"""Test what all responses share: tokens, headers, errors and health."""

import pytest
from visitor import Visitor, titles

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; ",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@pytest.mark.parametrize("path", ["/items", "/items/{id}/complete", "/items/{id}/delete", "/undo"])
@pytest.mark.parametrize("fields", [{}, {"csrf_token": "forged"}])
def test_a_form_without_its_token_changes_nothing(visitor, path, fields):
    visitor.add("Buy milk")
    path = path.format(id=visitor.id_of("Buy milk"))
    response = visitor.client.post(path, data={"title": "Forged", **fields})
    assert response.status_code == 400
    assert "Please try again" in response.text
    assert "Nothing was changed" in response.text
    assert titles(visitor.page, "open") == ["Buy milk"]


def test_a_token_of_another_session_changes_nothing(app, visitor):
    other = Visitor(app)
    other.client.get("/")
    token = visitor.page.split('name="csrf_token" value="')[1].split('"')[0]
    response = other.client.post("/items", data={"csrf_token": token, "title": "Forged"})
    assert response.status_code == 400
    assert titles(visitor.page, "open") == []


@pytest.mark.parametrize("path", ["/", "/health", "/nowhere", "/static/style.css"])
def test_every_response_has_the_security_headers(visitor, path):
    # `with`: a static file stays open until its response is closed.
    with visitor.client.get(path) as response:
        for name, value in HEADERS.items():
            assert response.headers[name].startswith(value)
        kept = "no-store" in response.headers.get("Cache-Control", "")
        assert kept is not path.startswith("/static")


def test_the_page_loads_nothing_from_other_sites(visitor):
    assert "http://" not in visitor.page
    assert "https://" not in visitor.page


@pytest.mark.parametrize(("value", "secure"), [("0", False), ("1", True)])
def test_the_session_cookie_is_hidden_from_scripts_and_other_sites(
    make_app, sqlite_url, value, secure
):
    response = make_app(sqlite_url, SESSION_COOKIE_SECURE=value).test_client().get("/")
    parts = response.headers["Set-Cookie"].split("; ")
    assert parts[0].startswith("todo_session=")
    assert {"HttpOnly", "SameSite=Lax"} <= set(parts)
    assert ("Secure" in parts) is secure


@pytest.mark.parametrize("path", ["/nowhere", "/items/1", "/static/nothing.css"])
def test_an_unknown_url_shows_a_page_with_a_link_to_the_list(visitor, path):
    response = visitor.client.get(path)
    assert response.status_code == 404
    assert "<h1>Not Found</h1>" in response.text
    assert '<a class="button" href="/">Open the list</a>' in response.text


@pytest.mark.parametrize("number", ["99999999999", "-1", "one"])
def test_an_invalid_item_id_is_not_found(visitor, number):
    assert visitor.send(f"/items/{number}/complete").status_code == 404


def test_a_wrong_method_is_rejected(visitor):
    assert visitor.client.get("/items").status_code == 405


def test_a_form_that_is_too_large_is_rejected(visitor):
    assert visitor.add("x" * 20_000).status_code == 413
    assert titles(visitor.page, "open") == []


def test_health_is_ok_if_the_database_is_available(visitor):
    response = visitor.client.get("/health")
    assert response.status_code == 200
    assert response.json == {"status": "ok", "database": "ok"}


def test_the_app_reports_a_missing_database_and_recovers(make_app, tmp_path, capsys):
    folder, away = tmp_path / "data", tmp_path / "away"
    folder.mkdir()
    app = make_app(f"sqlite:///{folder}/todo.db")
    client = app.test_client()
    # Close the open file, then move the folder.
    app.extensions["todo_engine"].dispose()
    folder.rename(away)
    health, page = client.get("/health"), client.get("/")
    assert health.status_code == 503
    assert health.json == {"status": "error", "database": "unavailable"}
    assert page.status_code == 503
    assert "The list is unavailable" in page.text
    assert "todo-app: database error: unable to open" in capsys.readouterr().err
    away.rename(folder)
    assert client.get("/health").status_code == client.get("/").status_code == 200
