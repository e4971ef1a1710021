"""Test the application's responses."""

import pytest
from fastapi.testclient import TestClient

from app.main import app


@pytest.fixture
def client() -> TestClient:
    """A client that calls the application without a network."""
    return TestClient(app)


def test_the_page_is_exactly_hello_world(client: TestClient) -> None:
    """The body is the plain text, without quotes or JSON."""
    response = client.get("/")

    assert (response.status_code, response.text) == (200, "Hello World")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


def test_any_other_page_is_not_found(client: TestClient) -> None:
    """Only `/` exists."""
    assert client.get("/nowhere").status_code == 404


def test_the_page_is_read_only(client: TestClient) -> None:
    """POST is not allowed."""
    assert client.post("/").status_code == 405
