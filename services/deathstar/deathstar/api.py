"""The web API: list, show and destroy planets."""

from typing import Annotated

from fastapi import FastAPI, HTTPException, Path, Request, Response
from fastapi.exception_handlers import http_exception_handler
from pydantic import BaseModel
from starlette.routing import Match

from deathstar.planets import Planets

PlanetName = Annotated[
    str,
    Path(
        description="A planet's name, in upper or lower case",
        examples=["Alderaan"],
        min_length=1,
        max_length=50,
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9 '\-]*[A-Za-z0-9])?$",
    ),
]


class Planet(BaseModel):
    """A planet that has not been destroyed."""

    name: str


class Health(BaseModel):
    """The status of the server."""

    status: str


class Problem(BaseModel):
    """The reason why a request failed."""

    detail: str


NO_SUCH_PLANET = {404: {"model": Problem, "description": "There is no such planet"}}


def create_app(planets: Planets | None = None) -> FastAPI:
    """Return the API for these planets (default: a new set of the known planets)."""
    # The planets are kept in this process: run one worker, or each has a separate set.
    planets = Planets() if planets is None else planets
    app = FastAPI(title="Death Star", version="1.0.0", redirect_slashes=False)

    @app.get("/api/v1/planets")
    async def list_planets() -> list[Planet]:
        """Return all planets that have not been destroyed."""
        return [Planet(name=name) for name in planets.names()]

    @app.get("/api/v1/planets/{name}", responses=NO_SUCH_PLANET)
    async def get_planet(name: PlanetName) -> Planet:
        """Return one planet."""
        known = planets.find(name)
        if known is None:
            raise HTTPException(404, f"there is no planet {name}")
        return Planet(name=known)

    @app.delete("/api/v1/planets/{name}", status_code=204, responses=NO_SUCH_PLANET)
    async def destroy_planet(name: PlanetName) -> None:
        """Destroy one planet. A restart of the server restores it."""
        if not planets.destroy(name):
            raise HTTPException(404, f"there is no planet {name}")

    @app.exception_handler(405)
    async def list_all_methods(request: Request, error: HTTPException) -> Response:
        """Respond to a wrong method with the allowed methods of every route with this path."""
        # Each route knows only its own method, and GET and DELETE of a planet are two routes.
        routes = [route for route in app.routes if route.matches(request.scope)[0] != Match.NONE]
        methods = sorted(set().union(*(route.methods for route in routes)))
        error.headers = {"Allow": ", ".join(methods)}
        return await http_exception_handler(request, error)

    @app.get("/health")
    async def health() -> Health:
        """Return 200 while the server is running."""
        return Health(status="ok")

    return app
