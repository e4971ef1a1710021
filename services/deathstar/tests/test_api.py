"""What the API answers, and what its OpenAPI document promises."""

import pytest
from fastapi.testclient import TestClient

from deathstar.api import create_app
from deathstar.planets import Planets


@pytest.fixture
def client() -> TestClient:
    """A client of an API with two planets."""
    return TestClient(create_app(Planets(["Alderaan", "Kef Bir"])))


def test_all_planets_are_listed(client: TestClient) -> None:
    """The list holds an object for each planet."""
    response = client.get("/api/v1/planets")
    assert response.status_code == 200
    assert response.json() == [{"name": "Alderaan"}, {"name": "Kef Bir"}]


@pytest.mark.parametrize("name", ["Alderaan", "alderaan", "ALDERAAN"])
def test_a_planet_is_found_in_any_case(client: TestClient, name: str) -> None:
    """The answer spells the name as the planet does."""
    response = client.get(f"/api/v1/planets/{name}")
    assert response.status_code == 200
    assert response.json() == {"name": "Alderaan"}


def test_a_destroyed_planet_is_gone(client: TestClient) -> None:
    """DELETE answers 204 and nothing else, once; from then on 404."""
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
    """A good name that no planet has answers 404 and repeats it."""
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
def test_what_is_no_name_is_refused(
    client: TestClient, method: str, name: str, message: str
) -> None:
    """422 says which part of the request is wrong, and how."""
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
def test_a_wrong_method_names_the_right_ones(
    client: TestClient, path: str, methods: set[str]
) -> None:
    """405 carries an Allow header with every method of the path."""
    response = client.put(path)
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == methods
    assert response.json() == {"detail": "Method Not Allowed"}


def test_health_answers_ok(client: TestClient) -> None:
    """The address the health check asks answers 200."""
    response = client.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_the_openapi_document_declares_every_status(client: TestClient) -> None:
    """Whoever reads the document knows all answers beforehand."""
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


def test_each_app_has_planets_of_its_own() -> None:
    """No state is shared through the module."""
    first, second = TestClient(create_app()), TestClient(create_app())
    assert first.delete("/api/v1/planets/Naboo").status_code == 204
    assert second.get("/api/v1/planets/Naboo").status_code == 200
