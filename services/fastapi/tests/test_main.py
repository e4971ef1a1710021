"""What the application answers."""

import pytest
from fastapi.testclient import TestClient

from app.main import app


@pytest.fixture
def client() -> TestClient:
    """A client that speaks to the application without a network."""
    return TestClient(app)


def test_the_page_is_hello_world_and_nothing_else(client: TestClient) -> None:
    """The body is the two words themselves: no quotes, no JSON."""
    answer = client.get("/")

    assert (answer.status_code, answer.text) == (200, "Hello World")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_any_other_page_is_not_found(client: TestClient) -> None:
    """There is one page only."""
    assert client.get("/nowhere").status_code == 404


def test_the_page_can_only_be_read(client: TestClient) -> None:
    """Nothing can be posted to it."""
    assert client.post("/").status_code == 405
