"""Test the API's responses and its OpenAPI document."""

import pytest
from fastapi.testclient import TestClient

from deathstar.api import create_app
from deathstar.planets import Planets


@pytest.fixture
def client() -> TestClient:
    """A client of an API with two planets."""
    return TestClient(create_app(Planets(["Alderaan", "Kef Bir"])))


def test_all_planets_are_listed(client: TestClient) -> None:
    """The list contains an object for each planet."""
    response = client.get("/api/v1/planets")
    assert response.status_code == 200
    assert response.json() == [{"name": "Alderaan"}, {"name": "Kef Bir"}]


@pytest.mark.parametrize("name", ["Alderaan", "alderaan", "ALDERAAN"])
def test_a_planet_is_found_in_any_case(client: TestClient, name: str) -> None:
    """The response uses the planet's original spelling."""
    response = client.get(f"/api/v1/planets/{name}")
    assert response.status_code == 200
    assert response.json() == {"name": "Alderaan"}


def test_a_destroyed_planet_is_gone(client: TestClient) -> None:
    """The first DELETE returns 204 without a body; later requests return 404."""
    response = client.delete("/api/v1/planets/Kef%20Bir")
    assert (response.status_code, response.content) == (204, b"")
    for again in (client.delete, client.get):
        response = again("/api/v1/planets/Kef%20Bir")
        assert response.status_code == 404
        assert response.json() == {"detail": "there is no planet Kef Bir"}
    assert client.get("/api/v1/planets").json() == [{"name": "Alderaan"}]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("name", ["Hoth", "x" * 50])
def test_an_unknown_planet_is_not_found(client: TestClient, method: str, name: str) -> None:
    """A valid name that no planet has returns 404 with that name."""
    response = client.request(method, f"/api/v1/planets/{name}")
    assert response.status_code == 404
    assert response.json() == {"detail": f"there is no planet {name}"}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x" * 51, "String should have at most 50 characters"),
        ("%20", "String should match pattern"),
        ("Hoth%20", "String should match pattern"),
        ("Hoth%0A", "String should match pattern"),
        ("H%C3%B6th", "String should match pattern"),
        ("-", "String should match pattern"),
        ("%00", "String should match pattern"),
    ],
)
def test_an_invalid_name_is_rejected(
    client: TestClient, method: str, name: str, message: str
) -> None:
    """The 422 response names the invalid part of the request and the reason."""
    response = client.request(method, f"/api/v1/planets/{name}")
    assert response.status_code == 422
    (problem,) = response.json()["detail"]
    assert problem["loc"] == ["path", "name"]
    assert problem["msg"].startswith(message)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/v1/planets/Hoth", {"GET", "DELETE"}),
        ("/api/v1/planets", {"GET"}),
        ("/health", {"GET"}),
    ],
)
def test_a_wrong_method_lists_the_allowed_ones(
    client: TestClient, path: str, methods: set[str]
) -> None:
    """The 405 response has an Allow header with every method of the path."""
    response = client.put(path)
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == methods
    assert response.json() == {"detail": "Method Not Allowed"}


def test_health_returns_ok(client: TestClient) -> None:
    """The URL that the health check requests returns 200."""
    response = client.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_the_openapi_document_declares_every_status(client: TestClient) -> None:
    """The document lists every status that the API can return."""
    paths = client.get("/openapi.json").json()["paths"]
    declared = {
        (method, path): set(operation["responses"])
        for path, operations in paths.items()
        for method, operation in operations.items()
    }
    assert declared == {
        ("get", "/api/v1/planets"): {"200"},
        ("get", "/api/v1/planets/{name}"): {"200", "404", "422"},
        ("delete", "/api/v1/planets/{name}"): {"204", "404", "422"},
        ("get", "/health"): {"200"},
    }


def test_each_app_has_its_own_planets() -> None:
    """Apps share no state through the module."""
    first, second = TestClient(create_app()), TestClient(create_app())
    assert first.delete("/api/v1/planets/Naboo").status_code == 204
    assert second.get("/api/v1/planets/Naboo").status_code == 200
